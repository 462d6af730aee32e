//! What every role stands on: the store, the data folder, TLS.

mod edition;
mod folder;
mod process;
mod serving;
mod store;
