//! What a hostile guest's caller must be told.

use prewarm::{CallError, Limited, Phase, Trap};

use super::DEADLINE;
use crate::support::chain;

/// The one way in which a call may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// The setting has no such call.
    Impossible,
    /// This answer, because the guest harmed nobody.
    Answer(u32),
    /// A trap for this reason, with the guest's stack.
    Trap(&'static str),
    /// A trap for this reason, found where no guest code ran.
    TrapOutside(&'static str),
    /// This limit.
    Limit(Limited, u64),
    /// The deadline.
    Deadline,
    /// A host function's error that says so.
    Host(&'static str),
    /// A host function's panic that says so.
    HostPanic(&'static str),
    /// The deadline, while the instance was made.
    LateStart,
    /// No instance, for this reason.
    StartTrap(&'static str),
    /// No instance, because of this limit.
    StartLimit(Limited, u64),
    /// No instance, because a host function said so.
    StartHost(&'static str),
    /// No instance, because a host function panicked so.
    StartPanic(&'static str),
}

impl Expect {
    /// Compares.
    ///
    /// # Errors
    ///
    /// What there was instead.
    pub fn check(self, answer: &Result<u32, CallError>) -> Result<(), String> {
        let met = match answer {
            Ok(answer) => self == Self::Answer(*answer),
            Err(error) => self.is(error),
        };
        match met {
            true => Ok(()),
            false => Err(format!("{answer:?} instead of {self:?}")),
        }
    }

    fn is(self, error: &CallError) -> bool {
        match (self, error) {
            (Self::Trap(wanted), CallError::Trap(Trap { reason, frames, .. })) => {
                reason == wanted && !frames.is_empty()
            }
            (Self::TrapOutside(wanted), CallError::Trap(Trap { reason, .. })) => reason == wanted,
            (Self::Limit(limited, limit), CallError::Limit(hit)) => {
                (hit.limited, hit.limit) == (limited, limit)
            }
            (Self::Deadline, CallError::Deadline { phase, .. }) => {
                is_whole_deadline(error) && *phase == Phase::Call
            }
            (Self::LateStart, CallError::Deadline { phase, .. }) => {
                is_whole_deadline(error) && *phase == Phase::Start
            }
            (Self::Host(wanted), CallError::Host(source)) => {
                chain(&**source).iter().any(|cause| cause == wanted)
            }
            (Self::HostPanic(wanted), CallError::HostPanic { message, .. }) => message == wanted,
            (_, CallError::Start(source)) => match self {
                Self::StartTrap(reason) => Self::Trap(reason).is(source),
                Self::StartLimit(limited, limit) => Self::Limit(limited, limit).is(source),
                Self::StartHost(text) => Self::Host(text).is(source),
                Self::StartPanic(text) => Self::HostPanic(text).is(source),
                _ => false,
            },
            _ => false,
        }
    }
}

fn is_whole_deadline(error: &CallError) -> bool {
    matches!(error, CallError::Deadline { deadline, .. } if *deadline == DEADLINE)
}
