//! The lifecycle proved: the real `decide` and `State::after` in a small world.

mod acts;
mod canonical;
mod defences;
mod events;
mod expiry;
mod explorer;
mod generators;
mod objects;
mod others;
mod reads;
mod start;
mod sweep;
mod target_writes;
mod turns;
mod walk;
mod world;
mod writes;
