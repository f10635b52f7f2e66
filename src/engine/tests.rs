//! The engine against a server on loopback whose answers are scripted.
