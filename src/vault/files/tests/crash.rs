//! Crashes: what was acknowledged is there, what was torn is cut and said.

use super::*;
use crate::domain::record::Position;
use crate::vault::SecretBytes;
use crate::vault::files::Cut;

#[tokio::test]
async fn what_was_acknowledged_survives_a_crash_at_any_time() {
    let mut stage = InFiles::new();
    let mut known = Vec::new();
    for round in 0..5 {
        for n in 0..10 {
            let alias = phone(round * 10 + n);
            let contact = stage.hand().contact(TENANT, &alias).await.expect("made");
            let sealed = stage.hand().seal(TENANT, contact, b"e", b"hello").await.expect("sealed");
            known.push((alias, contact, sealed));
        }
        let value = SecretBytes::new(vec![u8::try_from(round).expect("few rounds")]);
        stage.hand().put_secret(Some(TENANT), "token", &value).await.expect("kept");
        stage.crash();
        assert_eq!((stage.open().contacts, known.len()), ((round + 1) * 10, (round + 1) * 10));
        for (alias, contact, sealed) in &known {
            assert_eq!(stage.hand().find(TENANT, alias).await, Ok(Some(*contact)));
            assert_eq!(stage.hand().open(TENANT, *contact, b"e", &sealed.bytes).await, Ok(b"hello".to_vec()));
        }
        assert_eq!(stage.hand().secret(Some(TENANT), "token").await, Ok(Some(value)));
    }
}

#[tokio::test]
async fn a_file_that_ends_anywhere_opens_up_to_its_last_whole_record() {
    let mut stage = InFiles::new();
    let head = fs::metadata(stage.keys()).expect("there").len();
    let mut ends = vec![head];
    for n in 0..4 {
        stage.hand().contact(TENANT, &phone(n)).await.expect("made");
        ends.push(fs::metadata(stage.keys()).expect("there").len());
    }
    stage.crash();
    let whole = fs::read(stage.keys()).expect("read");
    let mut cuts = 0;
    for len in 0..whole.len() as u64 {
        fs::write(stage.keys(), &whole[..usize::try_from(len).expect("small")]).expect("written");
        let found = stage.look();
        if len < head {
            assert!(matches!(found, Err(VaultError::Corrupt { .. })), "{len} of {head}: {found:?}");
            continue;
        }
        let report = found.expect("opens");
        assert_eq!(report.contacts, ends.iter().filter(|end| **end <= len).count() - 1, "at {len}");
        let at = fs::metadata(stage.keys()).expect("there").len();
        assert_eq!(report.cut, (at < len).then_some(Cut { at, bytes: len - at }));
        cuts += usize::from(at < len);
    }
    assert!(cuts > 700, "{cuts} torn tails were tried");
}

#[tokio::test]
async fn sectors_that_were_never_filled_are_cut_and_zeros_inside_are_damage() {
    let mut stage = InFiles::new();
    for n in 0..20 {
        stage.hand().contact(TENANT, &phone(n)).await.expect("made");
    }
    stage.crash();
    let whole = fs::read(stage.keys()).expect("read");
    fs::write(stage.keys(), [&whole[..], &[0; 5000]].concat()).expect("written");
    assert_eq!(stage.look().expect("opens").cut, Some(Cut { at: whole.len() as u64, bytes: 5000 }));
    let mut unfilled = whole.clone();
    unfilled[3 * 512..].fill(0);
    fs::write(stage.keys(), &unfilled).expect("written");
    let report = stage.look().expect("opens");
    assert!(report.contacts < 20 && report.cut.is_some_and(|cut| cut.at < 3 * 512), "{report:?}");
    let mut hole = whole;
    hole[2 * 512..3 * 512].fill(0);
    fs::write(stage.keys(), &hole).expect("written");
    assert!(matches!(stage.look(), Err(VaultError::Corrupt { .. })));
}

#[tokio::test]
async fn a_half_written_batch_was_not_acknowledged_and_is_cut() {
    let mut stage = InFiles::new();
    let first = stage.hand().contact(TENANT, &phone(1)).await.expect("made");
    let durable = fs::metadata(stage.keys()).expect("there").len();
    *stage.moods.broken.lock() = Some(Broken::Write);
    let failed = stage.hand().contact(TENANT, &phone(2)).await;
    assert!(matches!(failed, Err(VaultError::Failed(ref why)) if why.contains("no space")), "{failed:?}");
    *stage.moods.broken.lock() = None;
    let still = stage.hand().contact(TENANT, &phone(3)).await;
    assert!(matches!(still, Err(VaultError::Failed(_))), "the latch is open again: {still:?}");
    stage.crash();
    let report = stage.open();
    assert_eq!((report.contacts, report.cut.map(|cut| cut.at)), (1, Some(durable)));
    assert_eq!(stage.hand().find(TENANT, &phone(1)).await, Ok(Some(first)));
    stage.hand().contact(TENANT, &phone(2)).await.expect("works again");
}

#[tokio::test]
async fn an_older_key_file_under_newer_marks_is_reported() {
    let mut stage = InFiles::new();
    stage.hand().contact(TENANT, &phone(1)).await.expect("made");
    stage.close().await;
    let older = fs::read(stage.keys()).expect("read");
    stage.open();
    stage.hand().contact(TENANT, &phone(2)).await.expect("made");
    stage.hand().raise_marks(&[(2, Position(9))]);
    stage.close().await;
    let newer = fs::metadata(stage.keys()).expect("there").len();
    fs::write(stage.keys(), &older).expect("written");
    assert_eq!(stage.open().missing_bytes, newer - older.len() as u64);
    assert_eq!(stage.hand().marks(), [(2, Position(9))]);
}
