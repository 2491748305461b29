//! CSV as jobs take and give it.

use csv::{ReaderBuilder, StringRecord, Terminator, WriterBuilder};

use crate::Fault;

/// Lines as texts; the first is the header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sheet {
    /// The names of the columns.
    pub(super) header: Vec<String>,
    /// The lines.
    pub(super) lines: Vec<StringRecord>,
}

/// Reads CSV. A line of another length than the header's is an error: the answer was cut.
///
/// Errors: [`Fault::Unavailable`].
pub(super) fn read(bytes: &[u8]) -> Result<Sheet, Fault> {
    let broken = |error: csv::Error| Fault::Unavailable {
        message: format!("a job's result is no whole CSV: {}", crate::driver::bounded(&error.to_string())),
    };
    let mut reader = ReaderBuilder::new().flexible(false).from_reader(bytes.trim_ascii_start());
    let header = reader.headers().map_err(broken)?.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
    let lines: Result<Vec<_>, _> = reader.into_records().collect();
    Ok(Sheet { header, lines: lines.map_err(broken)? })
}

/// Writes CSV: comma, line feed, quotes where they are needed.
pub(super) fn write<'l>(header: &[String], lines: impl IntoIterator<Item = &'l Vec<String>>) -> Vec<u8> {
    let mut writer = WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(Vec::new());
    let written = "memory takes what is written, and all lines are as long as the header";
    writer.write_record(header).expect(written);
    for line in lines {
        writer.write_record(line).expect(written);
    }
    writer.into_inner().expect(written)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cut_line_is_no_whole_csv() {
        assert!(matches!(read(b"a,b\n\"1\",\"2\"\n\"3\""), Err(Fault::Unavailable { .. })));
        assert_eq!(read(b"").unwrap(), Sheet::default());
        assert_eq!(read("\u{feff}\"Id\"\n".as_bytes()).unwrap().header, ["Id"]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(lines in proptest::collection::vec(proptest::collection::vec("[^\r]{0,8}", 3), 0..4)) {
            let header = ["a", "b", "c"].map(str::to_owned);
            let sheet = read(&write(&header, &lines)).unwrap();
            prop_assert_eq!(sheet.header, header);
            let found: Vec<Vec<String>> = sheet.lines.iter().map(|line| line.iter().map(str::to_owned).collect()).collect();
            prop_assert_eq!(found, lines);
        }

        #[test]
        fn any_bytes_are_csv_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = read(&bytes);
        }
    }
}
