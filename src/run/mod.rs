//! Runs a review: plans the tasks, asks all reviewers at once, tells what happens as events.
//!
//! It never prints: whoever wants to show or count something listens to [`RunEvent`].
