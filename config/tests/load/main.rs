//! Documents as a whole: what is read, what is refused, and how it is told.

mod complete;
mod fake;
mod limits;
mod problems;
mod secrets;
mod starter;
mod values;
