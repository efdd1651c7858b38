//! One line of a log.

use crate::example::logs::types::{Action, Fault, State};

/// What a line says, and when.
pub struct Entry<'a> {
    pub time: i64,
    pub event: Event<'a>,
}

pub enum Event<'a> {
    Action {
        action: Action,
        package: &'a str,
        old: &'a str,
        new: &'a str,
    },
    Status {
        state: State,
        package: &'a str,
    },
    Other,
}

/// Understands a line, or says what is wrong with it.
pub fn parse(line: &str) -> Result<Entry<'_>, Fault> {
    let words: Vec<&str> = line.split(' ').collect();
    let [date, clock, ..] = words[..] else {
        return Err(Fault::Time);
    };
    let time = time(date, clock).ok_or(Fault::Time)?;
    let verb = *words.get(2).ok_or(Fault::Verb)?;
    let event = match (verb, &words[3..]) {
        ("startup", ["archives" | "packages", _]) => Event::Other,
        ("conffile", [_, .., "install" | "keep"]) => Event::Other,
        ("status", [name, package, _]) => Event::Status {
            state: state(name).ok_or(Fault::Fields)?,
            package: bare(package)?,
        },
        ("startup" | "conffile" | "status", _) => return Err(Fault::Fields),
        (verb, rest) => {
            let action = action(verb).ok_or(Fault::Verb)?;
            let [package, old, new] = *rest else {
                return Err(Fault::Fields);
            };
            Event::Action {
                action,
                package: bare(package)?,
                old,
                new,
            }
        }
    };
    Ok(Entry { time, event })
}

/// Seconds since 1970. A day beyond its month counts on into the next.
fn time(date: &str, clock: &str) -> Option<i64> {
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let valid = year >= 1970
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    // Years that start in March have their leap day last.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 719_469;
    valid.then_some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

/// The `N` numbers that `separator` separates, each with this many digits.
pub fn numbers<const N: usize>(
    text: &str,
    separator: char,
    digits: [usize; N],
) -> Option<[i64; N]> {
    let parts: Vec<&str> = text.split(separator).collect();
    let fits = |(part, digits): (&&str, usize)| {
        part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    (parts.len() == N && parts.iter().zip(digits).all(fits))
        .then(|| std::array::from_fn(|i| parts[i].parse().unwrap_or(0)))
}

/// The name without the architecture.
fn bare(package: &str) -> Result<&str, Fault> {
    let name = package.split(':').next().unwrap_or(package);
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+.-_".contains(&byte);
    if name.is_empty() || !name.bytes().all(letter) {
        Err(Fault::Fields)
    } else {
        Ok(name)
    }
}

fn action(word: &str) -> Option<Action> {
    Some(match word {
        "install" => Action::Install,
        "upgrade" => Action::Upgrade,
        "configure" => Action::Configure,
        "trigproc" => Action::Trigproc,
        "disappear" => Action::Disappear,
        "remove" => Action::Remove,
        "purge" => Action::Purge,
        _ => return None,
    })
}

fn state(word: &str) -> Option<State> {
    Some(match word {
        "not-installed" => State::NotInstalled,
        "config-files" => State::ConfigFiles,
        "half-installed" => State::HalfInstalled,
        "unpacked" => State::Unpacked,
        "half-configured" => State::HalfConfigured,
        "triggers-awaited" => State::TriggersAwaited,
        "triggers-pending" => State::TriggersPending,
        "installed" => State::Installed,
        _ => return None,
    })
}
