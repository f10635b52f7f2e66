//! The lifecycle proved: the real `decide` and `State::after` in a small world.

mod defences;
mod generators;
mod reads;
mod sweep;
mod turns;
mod walk;
mod world;
mod writes;
