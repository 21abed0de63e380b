//! What the thread that writes and those who read need of a connection: [`Connection`].

use super::{Note, Problem, Sql};

/// What kept a transaction from being kept.
pub(super) enum Stopped {
    /// Some of its work failed.
    Working(Problem),
    /// It could not be begun or ended, or its connection was lost.
    Around(Problem),
}

impl Stopped {
    pub(super) fn problem(&self) -> &Problem {
        let (Self::Working(problem) | Self::Around(problem)) = self;
        problem
    }
}

/// A connection, of which one transaction is open at a time.
pub(super) trait Connection: Sql {
    /// Begins a transaction. A server is not waited for: what it has against it, what is asked first is told.
    fn begin(&mut self) -> Result<(), Problem>;

    /// Ends it and keeps what was done, if all of it was. After an error nothing of it is kept, except with [`Problem::GivenUp`], where
    /// it is not known.
    fn commit(&mut self) -> Result<(), Stopped>;

    /// Ends it, if there still is one, and keeps nothing.
    fn roll_back(&mut self);

    /// The notes of the transaction.
    fn notes(&mut self) -> Vec<Note>;

    /// Whether a transaction that `problem` broke is to be begun anew. Waits first for as long as makes sense.
    fn try_again(&mut self, problem: &Problem) -> bool;
}
