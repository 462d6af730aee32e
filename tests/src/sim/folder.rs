//! What a killed process leaves behind: its folder, as it lies there at that moment.
//!
//! The files are copied while the process still has them open, and whoever starts again starts from the copy. So
//! nothing that closing would still have written (a last checkpoint) is in it, as after `kill -9`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The folder of something that is killed and started again; each life has a copy of its own.
#[derive(Debug)]
pub(super) struct Lives {
    base: PathBuf,
    life: u32,
}

impl Lives {
    /// The first life, in an empty folder.
    pub(super) fn begin(base: PathBuf) -> Result<Self> {
        let lives = Self { base, life: 0 };
        std::fs::create_dir_all(lives.folder())?;
        Ok(lives)
    }

    /// The folder of this life.
    pub(super) fn folder(&self) -> PathBuf {
        self.base.with_extension(self.life.to_string())
    }

    /// The next life: a copy of the folder as it lies there now. The old folder is given back, to be removed once
    /// nobody has its files open any more.
    pub(super) fn next(&mut self) -> Result<PathBuf> {
        let old = self.folder();
        self.life += 1;
        copy(&old, &self.folder()).with_context(|| format!("copying {}", old.display()))?;
        Ok(old)
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else if !entry.path().to_string_lossy().ends_with("-shm") {
            // The `-shm` file is shared memory, which a killed process takes with it.
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
