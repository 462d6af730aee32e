//! The server of Baken: relay, desk and bridge, each a process of its own with its own folder, keys and database, and
//! the organisation's root commands, which run on a machine that is not the relay.
//!
//! The roles speak to each other over the HTTP API only. What they share is below them: [`store`] (one writer, group
//! commit), [`folder`] (lock, keys, whole files), [`tls`] and [`audit`].

pub mod app;
pub mod audit;
pub mod bridge;
pub mod channel;
pub mod cli;
pub mod dc09;
pub mod desk;
pub mod exit;
pub mod folder;
pub mod join;
pub mod org;
pub mod portal;
mod rates;
pub mod relay;
pub mod relay_client;
pub mod store;
pub mod tls;
pub mod web;
