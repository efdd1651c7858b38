//! The work as a guest of `wasi:http`: the path is the work, the request's body the text, the response's
//! body the answer.

use std::io::{self, Read, Write};

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{
    Fields, IncomingBody, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};

struct Work;

impl Guest for Work {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let answer = answer(&request).unwrap_or_default();
        let response = OutgoingResponse::new(Fields::new());
        let Ok(body) = response.body() else { return };
        ResponseOutparam::set(out, Ok(response));
        // Where the host no longer listens there is nobody to tell.
        let _ = write(&body, &answer);
        let _ = OutgoingBody::finish(body, None);
    }
}

/// None, and so an answer without a byte, where the request is not understood.
fn answer(request: &IncomingRequest) -> Option<Vec<u8>> {
    let path = request.path_with_query()?;
    let text = read(&request.consume().ok()?).ok()?;
    rivals_work::answer(path.trim_start_matches('/'), &text)
}

fn read(body: &IncomingBody) -> io::Result<String> {
    let mut text = String::new();
    let mut stream = body.stream().map_err(|()| io::ErrorKind::Other)?;
    stream.read_to_string(&mut text)?;
    Ok(text)
}

fn write(body: &OutgoingBody, answer: &[u8]) -> io::Result<()> {
    let mut stream = body.write().map_err(|()| io::ErrorKind::Other)?;
    stream.write_all(answer)?;
    Write::flush(&mut stream)
}

wasip2::http::proxy::export!(Work);
