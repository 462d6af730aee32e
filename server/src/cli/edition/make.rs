//! `baken-server edition build`, `key`, `root` and `sign`.

use std::path::Path;

use baken_schemas::cbor;
use baken_schemas::crypto::SigningKey;
use baken_schemas::edition::check::may_be_published;
use baken_schemas::edition::signed::{
    Bundle, BundledFile, Countersigned, EditionError, EditionHead, EditionName, EditionRoot, Manifest,
};
use baken_schemas::edition::{Layer, compile, is_known};
use baken_schemas::signed::Document as _;
use baken_schemas::time::{Clock as _, SystemClock};
use serde_json::json;
use zeroize::Zeroizing;

use super::{Build, Key, OrgIdArg, Root, Sign, check, files};
use crate::cli::{Failure, Say, system_rng};
use crate::exit;
use crate::folder::{Access, FolderError, read_whole, write_whole};

/// The edition of a layer.
fn name(layer: Layer, org: Option<OrgIdArg>) -> Result<EditionName, Failure> {
    match (layer, org) {
        (Layer::National, None) => Ok(EditionName::National),
        (Layer::Province, Some(OrgIdArg(org))) => Ok(EditionName::Province(org)),
        (Layer::Organisation, Some(OrgIdArg(org))) => Ok(EditionName::Organisation(org)),
        (Layer::National, Some(_)) => Err(Failure::bad_input(
            "org_of_national",
            "De landelijke uitgave is van geen organisatie: laat --org weg.",
            "The national edition is no organisation's: leave --org out.",
        )),
        (_, None) => Err(Failure::bad_input(
            "org_missing",
            "Zeg met --org van welke organisatie deze laag is.",
            "Say with --org whose layer this is.",
        )),
    }
}

pub(super) fn build(args: &Build, say: &Say) -> Result<(), Failure> {
    let mut source = files::read(&args.folder)?;
    let findings = check::found(&source, &args.under, &[])?;
    if !may_be_published(&findings) {
        check::tell(&findings, say);
        return Err(Failure::said(exit::BAD_INPUT));
    }
    source.retain(|path, _| is_known(path));
    let layer = compile(&source).map_err(EditionError::Source)?.layer;
    let name = name(layer, args.org)?;
    let manifest = Manifest::of(name, &source, SystemClock.now())?;
    let mut roots = Vec::new();
    for path in &args.roots {
        let root = Countersigned::<EditionRoot>::parse(&read_whole(path)?)?;
        if root.claims().edition != name {
            return Err(EditionError::OtherEdition.into());
        }
        roots.push(root.to_bytes().into());
    }
    let version = manifest.version;
    let head = EditionHead { roots, manifest: Countersigned::unsigned(manifest).to_bytes().into() };
    let file = |(path, text): (String, String)| BundledFile { path, bytes: text.into_bytes().into() };
    let bundle = Bundle { head, files: source.into_iter().map(file).collect() };
    write_whole(&args.out, &cbor::to_vec(&bundle), Access::Open)?;
    let (edition, count) = (name.to_string(), bundle.files.len());
    let out = args.out.display();
    say.say(
        &json!({ "edition": edition, "version": version, "files": count, "warnings": findings.len() }),
        &format!("{edition}, versie {version}, {count} bestanden: {out}. Teken het nu met `edition sign`."),
        &format!("{edition}, version {version}, {count} files: {out}. Sign it now with `edition sign`."),
    );
    Ok(())
}

pub(super) fn key(args: &Key, say: &Say) -> Result<(), Failure> {
    if args.out.exists() {
        return Err(FolderError::Exists(args.out.clone()).into());
    }
    let key = SigningKey::make(&mut system_rng()?);
    write_whole(&args.out, key.to_bytes().as_ref(), Access::Secret)?;
    let public = key.verify_key();
    say.say(&json!({ "key": public }), &format!("De sleutel is {public}."), &format!("The key is {public}."));
    Ok(())
}

fn read_key(path: &Path) -> Result<SigningKey, Failure> {
    let bytes = Zeroizing::new(read_whole(path)?);
    let seed: Zeroizing<[u8; 32]> = Zeroizing::new(
        bytes
            .as_slice()
            .try_into()
            .map_err(|_| FolderError::Damaged { path: path.to_owned(), why: "a key has 32 bytes".to_owned() })?,
    );
    Ok(SigningKey::from_bytes(&seed))
}

pub(super) fn root(args: &Root, say: &Say) -> Result<(), Failure> {
    let mut keys = args.publishers.clone();
    keys.sort();
    keys.dedup();
    let root =
        EditionRoot { edition: name(args.layer, args.org)?, version: args.version, keys, threshold: args.threshold };
    root.check()?;
    let document = Countersigned::unsigned(root);
    write_whole(&args.out, &document.to_bytes(), Access::Open)?;
    let (edition, out) = (document.claims().edition.to_string(), args.out.display());
    say.say(
        &json!({ "edition": edition, "version": args.version, "keys": document.claims().keys }),
        &format!(
            "De wortel van {edition} staat in {out}. Teken haar met genoeg sleutels van de vorige wortel en van haarzelf."
        ),
        &format!("The root of {edition} is in {out}. Sign it with enough keys of the root before it and of its own."),
    );
    Ok(())
}

pub(super) fn sign(args: &Sign, say: &Say) -> Result<(), Failure> {
    let key = read_key(&args.key)?;
    let bytes = read_whole(&args.file)?;
    let signed = if let Ok(mut root) = Countersigned::<EditionRoot>::parse(&bytes) {
        root.sign(&key);
        root.to_bytes()
    } else {
        let mut bundle = files::bundle(&args.file)?;
        let mut manifest = Countersigned::<Manifest>::parse(&bundle.head.manifest)?;
        manifest.sign(&key);
        bundle.head.manifest = manifest.to_bytes().into();
        cbor::to_vec(&bundle)
    };
    write_whole(&args.file, &signed, Access::Open)?;
    let (public, file) = (key.verify_key(), args.file.display());
    say.say(
        &json!({ "key": public }),
        &format!("{file} is getekend door {public}."),
        &format!("{file} is signed by {public}."),
    );
    Ok(())
}
