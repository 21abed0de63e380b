//! What a smoke chain printed: [`Store::create_smoke`] makes the folder `reviews/<run>/smoke`, [`RunDir::keep_smoke`] fills it.

use super::{RunDir, Store, StoreError, create_folder, keep_out_of_git, write};

/// Its name in the folder of a run.
const FOLDER: &str = "smoke";

impl Store {
    /// The folder of the run `id` with one for outputs in it, made where they are not there.
    pub fn create_smoke(&self, id: &str) -> Result<RunDir, StoreError> {
        let run = self.run(id);
        create_folder(&run.review.join(FOLDER))?;
        keep_out_of_git(&self.reviews)?;
        Ok(run)
    }
}

impl RunDir {
    /// Keeps an output in the file of this name, which is a plain one, and tells where that is from the folder of the run.
    pub fn keep_smoke(&self, file: &str, text: &str) -> Result<String, StoreError> {
        let folder = self.review.join(FOLDER);
        create_folder(&folder)?;
        write(&folder.join(file), text.as_bytes())?;
        Ok(format!("{FOLDER}/{file}"))
    }
}
