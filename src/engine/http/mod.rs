//! HTTP/1.1 of a client: from a manifest's texts to bytes on a connection, and from its bytes to an answer.

pub mod address;
pub(super) mod alarm;
mod bound;
pub(super) mod connection;
pub(super) mod connector;
pub mod failure;
mod headers;
pub(super) mod jar;
pub(super) mod judge;
mod path;
pub(super) mod payload;
pub(super) mod reader;
pub(super) mod request;
pub mod resolve;
mod stream;
pub mod template;
pub mod tls;
