//! The device behind the commands: its folder, its PIN, the way to its relay.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use baken_core::home::Home;
use baken_core::key_store::FileKeyStore;
use baken_core::transport::http::{Dates, HttpTransport};
use baken_core::{Baken, Context};
use baken_schemas::time::{Clock, SystemClock};
use rand::SeedableRng as _;
use rand::rngs::{ChaCha20Rng, SysRng};
use zeroize::Zeroizing;

use crate::args::Arguments;
use crate::failure::Failure;
use crate::output::Output;
use crate::text;

/// A device, and where its PIN comes from.
pub struct Phone {
    /// The device.
    pub baken: Baken,
    pin_file: Option<PathBuf>,
}

impl Phone {
    /// Opens the device in the home folder, locked.
    ///
    /// # Errors
    /// When the folder cannot be made, or the system gives no randomness.
    pub fn open(arguments: &Arguments) -> Result<Self, Failure> {
        let home = home(arguments)?;
        let rng = ChaCha20Rng::try_from_rng(&mut SysRng).map_err(std::io::Error::other)?;
        let key_store = Arc::new(FileKeyStore::new(home.platform_key()));
        let context = Context::new(clock(), Box::new(rng), key_store);
        Ok(Self { baken: Baken::open(home, context), pin_file: arguments.pin_file.clone() })
    }

    /// Opens the device and unlocks it.
    ///
    /// # Errors
    /// Those of the PIN and of unlocking.
    pub fn unlocked(arguments: &Arguments, out: &Output) -> Result<Self, Failure> {
        Self::unlocked_with_pin(arguments, out).map(|(phone, _)| phone)
    }

    /// Opens the device and unlocks it, and hands the PIN on to what asks for it again.
    ///
    /// # Errors
    /// As [`Self::unlocked`].
    pub fn unlocked_with_pin(arguments: &Arguments, out: &Output) -> Result<(Self, Zeroizing<String>), Failure> {
        let phone = Self::open(arguments)?;
        let pin = phone.activated_pin(out)?;
        if arguments.decoy { phone.baken.unlock_decoy(&pin) } else { phone.baken.unlock(&pin) }?;
        Ok((phone, pin))
    }

    /// The PIN of a device that was activated, for what asks for it and leaves the vault locked.
    ///
    /// # Errors
    /// As [`Self::pin`], and when it was not activated.
    pub fn activated_pin(&self, out: &Output) -> Result<Zeroizing<String>, Failure> {
        if !self.baken.is_activated() {
            return Err(Failure::Core(baken_core::BakenError::NotActivated));
        }
        self.pin(out)
    }

    /// The PIN: from the file, from `BAKEN_PIN`, or asked.
    ///
    /// # Errors
    /// [`Failure::PinMissing`] when there is none and no terminal.
    pub fn pin(&self, out: &Output) -> Result<Zeroizing<String>, Failure> {
        match self.given_pin()? {
            Some(pin) => Ok(pin),
            None => ask(text::PIN.of(out.language)),
        }
    }

    /// A new PIN, asked twice where it is asked.
    ///
    /// # Errors
    /// As [`Self::pin`], and when the two differ.
    pub fn new_pin(&self, out: &Output) -> Result<Zeroizing<String>, Failure> {
        if let Some(pin) = self.given_pin()? {
            return Ok(pin);
        }
        ask_twice(out)
    }

    /// A PIN beside the one this device has: from the file, from `BAKEN_NEW_PIN`, or asked twice.
    ///
    /// # Errors
    /// As [`Self::new_pin`].
    pub fn further_pin(&self, file: Option<&Path>, out: &Output) -> Result<Zeroizing<String>, Failure> {
        match given_pin(file, "BAKEN_NEW_PIN")? {
            Some(pin) => Ok(pin),
            None => ask_twice(out),
        }
    }

    fn given_pin(&self) -> Result<Option<Zeroizing<String>>, Failure> {
        given_pin(self.pin_file.as_deref(), "BAKEN_PIN")
    }

    /// The way to the relay of the verified directory. Alarms ignore the dates of its certificate, see the core.
    ///
    /// # Errors
    /// [`Failure::Setup`], and those of the alarm outbox, which keeps the directory.
    pub fn relay(&self, dates: Dates) -> Result<HttpTransport, Failure> {
        Ok(HttpTransport::to_relay(&self.baken.directory()?.relay, dates, clock())?)
    }
}

/// The folder of the device.
///
/// # Errors
/// When it cannot be made.
pub fn home(arguments: &Arguments) -> Result<Home, Failure> {
    Ok(Home::open(&expand_home(&arguments.home))?)
}

/// The machine's clock: here time comes in.
pub fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

fn given_pin(file: Option<&Path>, variable: &str) -> Result<Option<Zeroizing<String>>, Failure> {
    if let Some(file) = file {
        let mut line = Zeroizing::new(String::new());
        std::io::BufReader::new(std::fs::File::open(file)?).read_line(&mut line)?;
        return Ok(Some(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned())));
    }
    Ok(std::env::var(variable).ok().map(Zeroizing::new))
}

/// The passphrase of check-ups: from `BAKEN_CHECK_UP`, or asked; twice where it is new.
///
/// # Errors
/// As [`Phone::new_pin`].
pub fn passphrase(is_new: bool, out: &Output) -> Result<Zeroizing<String>, Failure> {
    if let Ok(given) = std::env::var("BAKEN_CHECK_UP") {
        return Ok(Zeroizing::new(given));
    }
    let passphrase = ask(text::PASSPHRASE.of(out.language))?;
    if is_new && *passphrase != *ask(text::NEW_PIN_AGAIN.of(out.language))? {
        return Err(Failure::Input("pins_differ"));
    }
    Ok(passphrase)
}

/// A new passphrase of check-ups: from `BAKEN_NEW_CHECK_UP`, or asked twice.
///
/// # Errors
/// As [`Phone::new_pin`].
pub fn new_passphrase(out: &Output) -> Result<Zeroizing<String>, Failure> {
    if let Ok(given) = std::env::var("BAKEN_NEW_CHECK_UP") {
        return Ok(Zeroizing::new(given));
    }
    let passphrase = ask(text::NEW_PASSPHRASE.of(out.language))?;
    if *passphrase != *ask(text::NEW_PIN_AGAIN.of(out.language))? {
        return Err(Failure::Input("pins_differ"));
    }
    Ok(passphrase)
}

fn ask_twice(out: &Output) -> Result<Zeroizing<String>, Failure> {
    let pin = ask(text::NEW_PIN.of(out.language))?;
    if *pin != *ask(text::NEW_PIN_AGAIN.of(out.language))? {
        return Err(Failure::Input("pins_differ"));
    }
    Ok(pin)
}

fn ask(question: &str) -> Result<Zeroizing<String>, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::PinMissing);
    }
    Ok(Zeroizing::new(rpassword::prompt_password(question)?))
}

/// `~/…` as a shell would read it, for defaults that no shell has seen.
fn expand_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::var_os("HOME")) {
        (Ok(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => path.to_owned(),
    }
}
