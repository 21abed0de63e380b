//! What the thread that writes and those who read need of a connection: [`Connection`].

use super::{Note, Problem, Sql};

/// A connection, of which one transaction is open at a time.
pub(super) trait Connection: Sql {
    /// Begins a transaction.
    fn begin(&mut self) -> Result<(), Problem>;

    /// Waits for what was put off in it with [`Sql::execute_later`].
    fn settle(&mut self) -> Result<(), Problem>;

    /// Ends it and keeps what was done. After an error nothing of it is kept, except with [`Problem::GivenUp`], where it is not known.
    fn commit(&mut self) -> Result<(), Problem>;

    /// Ends it, if there still is one, and keeps nothing.
    fn roll_back(&mut self);

    /// The notes of the transaction.
    fn notes(&mut self) -> Vec<Note>;

    /// Whether a transaction that `problem` broke is to be begun anew. Waits first for as long as makes sense.
    fn try_again(&mut self, problem: &Problem) -> bool;
}
