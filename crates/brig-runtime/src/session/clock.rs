//! When a server that should end is told to, and when it is made to. Pure: the time is passed in.

use std::time::{Duration, Instant};

use super::Killer;

/// After its client left, and again after TERM. Client SDKs send brig TERM 2 s and KILL 4 s after
/// they close its stdin; both steps must fit before.
pub(super) const PATIENCE: Duration = Duration::from_millis(1500);
/// SIGKILL.
pub(super) const KILL: i32 = 9;

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Wait,
    /// Pass the caller's signal on.
    Forward(i32),
    /// The client has left and the server has not.
    Terminate,
    /// It was told to end and has not, or the caller asks a second time.
    Kill,
}

/// How far the end of a session is.
#[derive(Debug, Default)]
pub(super) struct Clock {
    stage: Stage,
    asked: u32,
}

#[derive(Debug, Default, Clone, Copy)]
enum Stage {
    #[default]
    Serving,
    /// The client has left; the server's stdin is closed.
    Leaving(Instant),
    /// TERM was sent.
    Ending(Instant),
    Killed,
}

impl Clock {
    /// The client closed its side.
    pub(super) fn client_left(&mut self, now: Instant) {
        if matches!(self.stage, Stage::Serving) {
            self.stage = Stage::Leaving(now);
        }
    }

    /// Somebody sent brig a signal: the first is forwarded at once, a second one kills.
    pub(super) fn asked_to_end(&mut self, signal: i32, now: Instant) -> Step {
        self.asked += 1;
        if self.asked > 1 {
            self.stage = Stage::Killed;
            return Step::Kill;
        }
        if !matches!(self.stage, Stage::Killed) {
            self.stage = Stage::Ending(now);
        }
        Step::Forward(signal)
    }

    /// What the passing of time asks for.
    pub(super) fn tick(&mut self, now: Instant) -> Step {
        match self.stage {
            Stage::Leaving(since) if now.duration_since(since) >= PATIENCE => {
                self.stage = Stage::Ending(now);
                Step::Terminate
            }
            Stage::Ending(since) if now.duration_since(since) >= PATIENCE => {
                self.stage = Stage::Killed;
                Step::Kill
            }
            _ => Step::Wait,
        }
    }

    /// How long nothing is to be done unless something happens; `None` for ever.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        match self.stage {
            Stage::Leaving(since) | Stage::Ending(since) => Some(PATIENCE.saturating_sub(now.duration_since(since))),
            Stage::Serving | Stage::Killed => None,
        }
    }

    /// Who is to be named when a signal ended the server.
    pub(super) fn killer(&self) -> Killer {
        match (self.asked, self.stage) {
            (0, Stage::Ending(_) | Stage::Killed) => Killer::ClientLeft,
            (0, _) => Killer::Box,
            _ => Killer::Caller,
        }
    }

    pub(super) fn has_killed(&self) -> bool {
        matches!(self.stage, Stage::Killed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_stays_is_terminated_and_then_killed() {
        let (mut clock, start) = (Clock::default(), Instant::now());
        assert_eq!((clock.tick(start), clock.left(start)), (Step::Wait, None));
        clock.client_left(start);
        assert_eq!(clock.left(start), Some(PATIENCE));
        assert_eq!(clock.tick(start + PATIENCE), Step::Terminate);
        assert_eq!(clock.tick(start + PATIENCE), Step::Wait);
        assert_eq!(clock.tick(start + 2 * PATIENCE), Step::Kill);
        assert_eq!((clock.tick(start + 9 * PATIENCE), clock.killer()), (Step::Wait, Killer::ClientLeft));
    }

    #[test]
    fn both_steps_fit_before_a_client_sdk_loses_patience() {
        assert!(2 * PATIENCE < Duration::from_secs(4));
    }

    #[test]
    fn a_signal_is_forwarded_and_a_second_one_kills() {
        let (mut clock, now) = (Clock::default(), Instant::now());
        assert_eq!(clock.asked_to_end(2, now), Step::Forward(2));
        assert_eq!(clock.asked_to_end(15, now), Step::Kill);
        assert_eq!(clock.killer(), Killer::Caller);
    }

    #[test]
    fn a_server_that_dies_by_itself_is_its_own_killer() {
        let mut clock = Clock::default();
        assert_eq!(clock.killer(), Killer::Box);
        clock.client_left(Instant::now());
        assert_eq!(clock.killer(), Killer::Box);
    }
}
