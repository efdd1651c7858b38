//! Entries that must not be loaded.

use super::shelf::until_noticed;
use super::*;
#[cfg(target_os = "linux")]
use crate::cache::Question;

/// Spoils the entry of `guest(1)`, then expects: refused, counted, replaced by the next store, and loaded again.
#[track_caller]
fn refused(bench: &Bench, spoil: impl FnOnce(&Path)) {
    let entry = bench.entry(&guest(1));
    spoil(&entry);
    let before = bench.cache.stats();
    assert_eq!(bench.load(&guest(1)), None);
    assert_eq!(
        bench.load_at(&guest(1), later()),
        None,
        "time does not make it true"
    );
    let after = bench.cache.stats();
    assert_eq!(
        (after.hits, after.refused),
        (before.hits, before.refused + 2)
    );
    bench.store(&guest(1));
    assert_eq!(bench.load(&guest(1)), Some(1));
}

/// Has `guest(1)` in the cache, checked and sealed.
fn sealed() -> Bench {
    let bench = Bench::new();
    bench.store(&guest(1));
    assert_eq!(bench.load_at(&guest(1), later()), Some(1));
    assert_eq!(bench.seal(&guest(1)).exists(), bench.seals());
    bench
}

/// Puts the code of `guest(2)` in place of that of `guest(1)`: the same length, another answer.
fn exchange_code(bytes: &mut [u8]) {
    // mov eax, 1 and mov w2, #1 differ by target; the constant is found by compiling both.
    let engine = engine();
    let artefact = |answer| {
        Component::new(&engine, guest(answer))
            .and_then(|it| it.serialize())
            .expect("compiles")
    };
    let (one, two) = (artefact(1), artefact(2));
    assert_eq!(one.len(), two.len());
    bytes[..two.len()].copy_from_slice(&two);
}

#[test]
fn changed_in_place() {
    let bench = sealed();
    refused(&bench, |entry| {
        until_noticed(entry, || overwrite(entry, |bytes| exchange_code(bytes)))
    });
}

#[test]
fn changed_in_place_with_its_times_put_back() {
    let bench = sealed();
    refused(&bench, |entry| {
        let facts = fs::metadata(entry).expect("there");
        let modified = facts.modified().expect("a time");
        until_noticed(entry, || {
            overwrite(entry, |bytes| exchange_code(bytes));
            set_modified(entry, modified);
        });
        let forged = fs::metadata(entry).expect("there");
        assert_eq!(
            (forged.len(), forged.modified().expect("a time")),
            (facts.len(), modified)
        );
    });
}

#[test]
fn every_byte_counts() {
    let bench = sealed();
    let entry = bench.entry(&guest(1));
    let length = fs::read(&entry).expect("there").len();
    let whole = fs::read(&entry).expect("there");
    for at in [
        0,
        1,
        63,
        length / 2,
        length - 113,
        length - 112,
        length - 104,
        length - 72,
        length - 40,
        length - 33,
    ]
    .into_iter()
    .chain(length - 32..length)
    {
        until_noticed(&entry, || {
            overwrite(&entry, |bytes| bytes.clone_from(&whole))
        });
        overwrite(&entry, |bytes| bytes[at] ^= 1);
        assert_eq!(bench.load(&guest(1)), None, "byte {at} of {length}");
    }
}

#[test]
fn cut_short() {
    let bench = sealed();
    for keep in [0, 1, 111, 112, 4096] {
        refused(&bench, |entry| {
            until_noticed(entry, || overwrite(entry, |bytes| bytes.truncate(keep)))
        });
    }
    refused(&bench, |entry| {
        until_noticed(entry, || {
            overwrite(entry, |bytes| bytes.truncate(bytes.len() - 1))
        })
    });
}

#[test]
fn added_to() {
    let bench = sealed();
    refused(&bench, |entry| {
        until_noticed(entry, || overwrite(entry, |bytes| bytes.push(0)))
    });
    // A whole trailer, authentic for something else.
    refused(&bench, |entry| {
        until_noticed(entry, || {
            overwrite(entry, |bytes| bytes.extend_from_within(bytes.len() - 112..))
        });
    });
}

#[test]
fn an_entry_under_the_name_of_another() {
    let bench = sealed();
    bench.store(&guest(2));
    let other = bench.entry(&guest(2));
    refused(&bench, |entry| fs::rename(&other, entry).expect("renamed"));
}

#[test]
#[cfg(unix)]
fn a_hard_link_to_another_even_a_sealed_one() {
    let bench = sealed();
    bench.store(&guest(2));
    refused(&bench, |entry| {
        fs::remove_file(entry).expect("removed");
        fs::hard_link(bench.entry(&guest(2)), entry).expect("linked");
        // Linking is a change, so the other is sealed after it: one file, one seal, two names.
        assert_eq!(bench.load_at(&guest(2), later()), Some(2));
        if bench.seals() {
            fs::copy(bench.seal(&guest(2)), bench.seal(&guest(1))).expect("copied");
        }
    });
}

#[test]
fn an_entry_of_another_engine() {
    let bench = sealed();
    let other = Engine::new(Config::new().consume_fuel(true)).expect("an engine");
    let component = Component::new(&other, guest(1)).expect("compiles");
    bench
        .cache
        .store(&other, &Source::bytes_of(guest(1)), NOTE, component);
    let foreign = bench
        .folder()
        .join(Identity::new(blake3::hash(&guest(1)), &other).file_name());
    refused(&bench, |entry| {
        fs::rename(&foreign, entry).expect("renamed")
    });
}

#[test]
fn an_entry_made_with_another_key() {
    let (bench, other) = (sealed(), sealed());
    refused(&bench, |entry| {
        fs::remove_file(entry).expect("removed");
        fs::copy(other.entry(&guest(1)), entry).expect("copied");
    });
}

#[test]
fn a_plain_artefact_and_no_artefact_at_all() {
    let bench = sealed();
    let artefact = Component::new(&bench.engine, guest(2))
        .and_then(|it| it.serialize())
        .expect("compiles");
    for planted in [artefact, b"\x7fELF".to_vec(), vec![0; 1 << 20]] {
        refused(&bench, |entry| {
            until_noticed(entry, || {
                overwrite(entry, |bytes| bytes.clone_from(&planted))
            })
        });
    }
}

#[test]
fn forged_records_answer_nothing() {
    let bench = sealed();
    bench.store(&guest(2));
    bench.load_at(&guest(2), later());
    for found in fs::read_dir(bench.folder()).expect("a folder") {
        let path = found.expect("a file").path();
        if path
            .extension()
            .is_some_and(|ending| ending == "seal" || ending == "note")
        {
            overwrite(&path, |bytes| bytes[0] ^= 1);
        }
    }
    assert_eq!(bench.cache.recall(&Source::bytes_of(guest(1))), None);
    let checked = bench.cache.stats().checked;
    assert_eq!(bench.load(&guest(1)), Some(1));
    assert_eq!(
        bench.cache.stats().checked,
        checked + 1,
        "without its seal it is checked"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_component_file_cannot_be_passed_off_as_another() {
    let bench = Bench::new();
    let file = |answered| bench.home.path().join(format!("{answered}.wasm"));
    let record = |answered| {
        let stamp = Stamp::of(&File::open(file(answered)).expect("opened")).expect("a stamp");
        bench
            .folder()
            .join(bench.cache.records.name(Question::Content(&stamp)))
    };
    for answered in 1..=2 {
        bench.store(&guest(answered));
        fs::write(file(answered), guest(answered)).expect("written");
        let source = Source::file_at(&file(answered), later()).expect("opened");
        assert_eq!(bench.cache.recall(&source), Some(NOTE));
        bench
            .cache
            .load(&bench.engine, &source, NOTE)
            .expect("found");
    }
    let [one, two] = [record(1), record(2)].map(|path| fs::read(path).expect("on record"));
    // Its own code with the other's content, and the other's record as a whole.
    for forged in [[&two[..32], &one[32..]].concat(), two] {
        fs::write(record(1), forged).expect("written");
        let source = Source::file(&file(1)).expect("opened");
        let component = bench
            .cache
            .load(&bench.engine, &source, NOTE)
            .expect("found");
        assert!(source.was_read());
        assert_eq!(answer(&bench.engine, &component), 1);
    }
}

#[test]
fn the_seal_of_another_file_does_not_fit() {
    let bench = sealed();
    if !bench.seals() {
        return;
    }
    let seal = fs::read(bench.seal(&guest(1))).expect("there");
    // The same bytes in another file: authentic, but not the file that was sealed.
    bench.store(&guest(1));
    assert_eq!(fs::read(bench.seal(&guest(1))).expect("there"), seal);
    let checked = bench.cache.stats().checked;
    assert_eq!(bench.load(&guest(1)), Some(1));
    assert_eq!(bench.cache.stats().checked, checked + 1);
}

#[test]
#[cfg(unix)]
fn an_entry_that_others_may_write() {
    let bench = sealed();
    refused(&bench, |entry| chmod(entry, 0o622));
}

#[test]
#[cfg(unix)]
fn a_link_or_folder_in_place_of_an_entry() {
    let bench = sealed();
    let aside = bench.home.path().join("aside");
    refused(&bench, |entry| {
        fs::rename(entry, &aside).expect("renamed");
        std::os::unix::fs::symlink(&aside, entry).expect("linked");
    });
}
