//! The guest's stack, with names, files and lines where the guest has them.

use prewarm::{CallError, Frame, Trap, Val, Wasm, blocking};

use crate::support::{always, config, host};

/// Traps by calling `function` with one number, without code of its own for that.
fn trap(wasm: impl Into<Wasm>, function: &str, param: u32) -> Trap {
    let component = host().load_blocking(wasm).unwrap();
    let pool = blocking::Pool::<()>::new(&component, config(1, always())).unwrap();
    match pool.invoke(function, &[Val::U32(param)]) {
        Err(CallError::Trap(trap)) => trap,
        other => panic!("no trap: {other:?}"),
    }
}

fn places(frames: &[Frame]) -> Vec<(Option<&str>, Option<&str>, Option<u32>)> {
    assert!(frames.iter().all(|frame| frame.offset.is_some()));
    frames
        .iter()
        .map(|frame| {
            let file = frame.file.as_deref();
            let file = file.map(|file| file.rsplit('/').next().unwrap_or(file));
            (frame.function.as_deref(), file, frame.line)
        })
        .collect()
}

#[test]
fn a_guest_with_debug_information_names_file_and_line() {
    let trap = trap(include_bytes!("traps.wasm").as_slice(), "share", 0);
    assert_eq!(trap.reason, "integer divide by zero");
    assert_eq!(
        places(&trap.frames),
        [
            (Some("divide"), Some("traps.wat"), Some(7)),
            (Some("share"), Some("traps.wat"), Some(10)),
        ]
    );
    let text = trap.to_string();
    assert!(
        text.contains("\n  0: divide in shop at ") && text.contains("traps.wat:7"),
        "{text}"
    );
}

#[test]
fn a_guest_without_it_names_its_functions() {
    let trap = trap(Wasm::wat(include_str!("traps.wat")), "share", 0);
    assert_eq!(
        places(&trap.frames),
        [(Some("divide"), None, None), (Some("share"), None, None)]
    );
    assert_eq!(
        trap.to_string(),
        "the guest trapped: integer divide by zero\n  0: divide in shop\n  1: share in shop"
    );
}
