//! What lies on this host's disk: folders and files that nobody else may read, and encryption. It knows neither
//! documents nor keys of vendors: bytes go in, bytes come out.

mod secret_file;
#[cfg(test)]
pub mod small_disk;

pub use secret_file::{LiveSecret, NoSecret, SecretFile};

use crate::domain::Secret;
use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::{
    fs::{DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::Path,
};
use zeroize::{Zeroize, Zeroizing};

/// XChaCha20-Poly1305 with a random nonce before each ciphertext: 192 bits, so that chance never repeats one.
pub struct SealingKey {
    cipher: XChaCha20Poly1305,
    names: Zeroizing<[u8; 32]>,
}

const NONCE_LEN: usize = 24;

/// Why some text is no sealing key; never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not 32 bytes in base64; make one with: head -c 32 /dev/urandom | base64")]
pub struct SealingKeyError;

impl SealingKey {
    /// Takes 32 bytes out of base64 text; blanks around it are left out.
    pub fn from_base64(text: &Secret) -> Result<Self, SealingKeyError> {
        let bytes = Zeroizing::new(STANDARD.decode(text.expose().trim()).map_err(|_| SealingKeyError)?);
        let master: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| SealingKeyError)?;
        let mut content = digest(master, b"keyrelay-content-v1");
        let cipher = XChaCha20Poly1305::new(&content.into());
        content.zeroize();
        Ok(Self { cipher, names: Zeroizing::new(digest(master, b"keyrelay-name-v1")) })
    }

    /// 32 random bytes in base64, with a line end.
    pub fn generate() -> io::Result<Zeroizing<String>> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        getrandom::fill(bytes.as_mut_slice()).map_err(io::Error::other)?;
        Ok(Zeroizing::new(STANDARD.encode(bytes.as_slice()) + "\n"))
    }

    /// Encrypts; `place` (where the bytes will lie) is bound to them and must be the same when they are opened.
    pub fn seal(&self, place: &[u8], plain: &[u8]) -> io::Result<Vec<u8>> {
        let mut nonce = [0_u8; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(io::Error::other)?;
        let payload = Payload { msg: plain, aad: place };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload).map_err(io::Error::other)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// `None`: damaged, moved from another place, or sealed with another key; nobody can tell these apart.
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = XNonce::try_from(nonce).ok()?;
        self.cipher.decrypt(&nonce, Payload { msg: sealed, aad: place }).ok().map(Zeroizing::new)
    }

    /// 32 hex digits that only a holder of the key can tell for `text`: a file name that gives nothing away.
    pub fn name_for(&self, text: &str) -> String {
        digest(&self.names, text.as_bytes())[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn digest(key: &[u8; 32], text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

/// Makes the folder with mode 0700 where it is missing, parents included, and refuses one that others may enter.
pub fn private_dir(dir: &Path) -> Result<(), String> {
    let named = |why: &dyn std::fmt::Display| format!("{}: {why}", dir.display());
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    let found = dir.symlink_metadata();
    if found.as_ref().is_ok_and(|found| !found.is_dir()) {
        return Err(named(&"it is not a folder; move it away, or name another one"));
    }
    let found = made.and(found).map_err(|error| named(&error))?;
    if found.mode() & 0o077 != 0 {
        return Err(named(&format!("others may enter it; type: chmod 700 {}", dir.display())));
    }
    Ok(())
}

/// How to open a file that only its owner may read: 0600 where it is made, never through a symbolic link.
pub fn private_file() -> OpenOptions {
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags(no_follow);
    options
}

/// Refuses a file that others may read or write.
pub fn check_private(file: &File, path: &Path) -> Result<(), String> {
    let mode = file.metadata().map_err(|error| format!("{}: {error}", path.display()))?.mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(format!("{0}: others may read it; type: chmod 600 {0}", path.display()))
}

/// Makes what was created, renamed or removed in the folder outlive a power cut.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    fn key(byte: u8) -> SealingKey {
        SealingKey::from_base64(&Secret::new(&STANDARD.encode([byte; 32]))).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_at_its_place_with_its_key_and_nowhere_else() {
        let sealed = key(1).seal(b"here", b"plain").unwrap();
        assert_eq!(key(1).open(b"here", &sealed).unwrap().as_slice(), b"plain");
        assert!(key(1).open(b"there", &sealed).is_none());
        assert!(key(2).open(b"here", &sealed).is_none());
        assert_ne!(sealed, key(1).seal(b"here", b"plain").unwrap(), "each nonce is its own");
    }

    #[test]
    fn no_bit_and_no_end_of_it_may_be_changed() {
        let sealed = key(1).seal(b"", b"plain").unwrap();
        for at in 0..sealed.len() {
            assert!(key(1).open(b"", &sealed[..at]).is_none(), "cut at {at}");
            let mut flipped = sealed.clone();
            flipped[at] ^= 1;
            assert!(key(1).open(b"", &flipped).is_none(), "flipped at {at}");
        }
    }

    #[test]
    fn a_key_is_32_bytes_in_base64_and_never_quoted() {
        assert!(SealingKey::from_base64(&Secret::new(&SealingKey::generate().unwrap())).is_ok());
        for bad in ["", "canary", &STANDARD.encode([7; 31]), &STANDARD.encode([7; 33])] {
            let error = SealingKey::from_base64(&Secret::new(bad)).err().unwrap();
            assert_eq!(
                error.to_string(),
                "it is not 32 bytes in base64; make one with: head -c 32 /dev/urandom | base64"
            );
        }
    }

    #[test]
    fn a_name_is_the_same_for_the_same_text_and_key_only() {
        assert_eq!(key(1).name_for("a"), key(1).name_for("a"));
        assert_ne!(key(1).name_for("a"), key(1).name_for("b"));
        assert_ne!(key(1).name_for("a"), key(2).name_for("a"));
        assert_eq!(key(1).name_for("a").len(), 32);
    }

    #[test]
    fn a_folder_that_others_may_enter_is_refused_with_what_to_type() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("a/b");
        private_dir(&dir).unwrap();
        assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o777, 0o700);
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o750)).unwrap();
        let shown = dir.display();
        assert_eq!(
            private_dir(&dir).unwrap_err(),
            format!("{shown}: others may enter it; type: chmod 700 {shown}")
        );
    }

    #[test]
    fn a_symbolic_link_is_neither_a_folder_nor_a_file() {
        let parent = tempfile::tempdir().unwrap();
        let (real, link) = (parent.path().join("real"), parent.path().join("link"));
        private_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert_eq!(
            private_dir(&link).unwrap_err(),
            format!("{}: it is not a folder; move it away, or name another one", link.display())
        );
        assert!(private_file().read(true).open(&link).is_err());
    }
}
