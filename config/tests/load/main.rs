//! Documents as a whole: what is read, what is refused, and how it is told.

mod codes;
mod complete;
mod damage;
mod fake;
mod limits;
mod mutations;
mod problems;
mod property;
mod secrets;
mod starter;
mod substitution;
mod values;
mod warnings;
mod yaml;
