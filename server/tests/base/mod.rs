//! What every role stands on: the store, the data folder, TLS.

mod folder;
mod serving;
mod store;
