//! String columns as dictionary codes, whatever the Arrow type of the strings.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, Int32Type, Int64Type, UInt8Type, UInt32Type};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::{Buffer, ScalarBuffer};
use arrow_cast::cast;
use arrow_schema::DataType;
use liqmap_core::{CoreError, Result};
use rayon::prelude::*;

/// Codes per task of a thread.
const PIECE: usize = 1 << 16;
/// Bytes of the longest word.
const WORD_LIMIT: usize = 256;
/// Words that each row is compared with before it is looked up by its hash.
const COMPARED: usize = 4;

/// The distinct words of a column and the code of each row.
pub struct DictionaryColumn {
    /// The words; a dictionary may repeat a word.
    pub words: Vec<String>,
    /// Per row, an index into `words`; null rows have an index beyond the last word.
    pub codes: DictionaryCodes,
}

/// Row codes, shared with the producer's memory if its keys have 8 or 32 bits and no row is null.
pub enum DictionaryCodes {
    /// Up to 256 words.
    Narrow(ScalarBuffer<u8>),
    /// More than 256 words.
    Wide(ScalarBuffer<u32>),
}

impl DictionaryCodes {
    /// The code of one row.
    #[inline]
    pub fn at(&self, row: usize) -> u32 {
        match self {
            Self::Narrow(codes) => u32::from(codes[row]),
            Self::Wide(codes) => codes[row],
        }
    }

    /// The codes of all rows.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let rows = match self {
            Self::Narrow(codes) => codes.len(),
            Self::Wide(codes) => codes.len(),
        };
        (0..rows).map(|row| self.at(row))
    }

    /// Add `weight` times the code of each row, from row `first` on, to `sums`.
    pub fn add_to(&self, first: usize, weight: u32, sums: &mut [u32]) {
        let rows = first..first + sums.len();
        match self {
            Self::Narrow(codes) => {
                for (sum, &code) in sums.iter_mut().zip(&codes[rows]) {
                    *sum += weight * u32::from(code);
                }
            }
            Self::Wide(codes) => {
                for (sum, &code) in sums.iter_mut().zip(&codes[rows]) {
                    *sum += weight * code;
                }
            }
        }
    }

    fn largest(&self) -> Option<u32> {
        match self {
            Self::Narrow(codes) => {
                codes.par_chunks(PIECE).filter_map(|codes| codes.iter().max()).max().map(|&code| code.into())
            }
            Self::Wide(codes) => {
                codes.par_chunks(PIECE).filter_map(|codes| codes.iter().max()).max().copied()
            }
        }
    }

    /// Keys of 8 or 32 bits without nulls, in the producer's memory; `None` for keys of another type.
    fn shared(keys: &dyn Array) -> Option<Self> {
        let rows = keys.len();
        let narrow = |buffer: &Buffer| Some(Self::Narrow(ScalarBuffer::new(buffer.clone(), 0, rows)));
        let wide = |buffer: &Buffer| Some(Self::Wide(ScalarBuffer::new(buffer.clone(), 0, rows)));
        match keys.data_type() {
            DataType::Int8 => narrow(keys.as_primitive::<Int8Type>().values().inner()),
            DataType::UInt8 => narrow(keys.as_primitive::<UInt8Type>().values().inner()),
            DataType::Int32 => wide(keys.as_primitive::<Int32Type>().values().inner()),
            DataType::UInt32 => wide(keys.as_primitive::<UInt32Type>().values().inner()),
            _ => None,
        }
    }
}

impl DictionaryColumn {
    /// Read a string or dictionary column. Offsets, UTF-8, keys and the length of words are validated before use, because
    /// they come from a foreign producer.
    pub fn read(place: &str, column: &ArrayRef) -> Result<Self> {
        let wrong = |found: String| CoreError::column(place, found, "a column of words");
        let Some(dictionary) = column.as_any_dictionary_opt() else {
            check_strings(column).map_err(wrong)?;
            let column = match column.data_type() {
                DataType::Utf8 => number(column.as_string::<i32>().iter()),
                DataType::LargeUtf8 => number(column.as_string::<i64>().iter()),
                _ => number(column.as_string_view().iter()),
            };
            return column.map_err(wrong);
        };
        let values = dictionary.values();
        check_strings(values).map_err(wrong)?;
        let words = match values.data_type() {
            DataType::Utf8 => all_owned(values.as_string::<i32>().iter()),
            DataType::LargeUtf8 => all_owned(values.as_string::<i64>().iter()),
            _ => all_owned(values.as_string_view().iter()),
        };
        let words = words.map_err(wrong)?;
        let count = u32::try_from(words.len()).map_err(|_| wrong(format!("{} words", words.len())))?;
        let keys = dictionary.keys();
        let invalid = |key: i128| wrong(format!("key {key} of a dictionary of {count}"));
        // A negative key of 8 bits looks like a key from 128 on, one of 32 bits like a key beyond every dictionary.
        let limit = if *keys.data_type() == DataType::Int8 { count.min(128) } else { count };
        if keys.null_count() == 0
            && values.null_count() == 0
            && let Some(codes) = DictionaryCodes::shared(keys)
        {
            return match codes.largest() {
                Some(key) if key >= limit => Err(invalid(key.into())),
                _ => Ok(Self { words, codes }),
            };
        }
        let wide = cast(keys, &DataType::Int64).map_err(|e| wrong(e.to_string()))?;
        if wide.null_count() > keys.null_count() {
            return Err(wrong(format!("a key beyond a dictionary of {count}")));
        }
        let wide = wide.as_primitive::<Int64Type>();
        if let Some(key) = wide.iter().flatten().find(|key| !(0..i64::from(count)).contains(key)) {
            return Err(invalid(key.into()));
        }
        let valid = |key: &i64| values.is_valid(*key as usize);
        let code = |key: Option<i64>| key.filter(valid).map_or(count, |key| key as u32);
        Ok(Self { words, codes: DictionaryCodes::Wide(wide.iter().map(code).collect()) })
    }
}

/// Validate a string column of any Arrow string type. Its words are then read in place: a copy of string views can be many
/// times as large as the views.
fn check_strings(column: &ArrayRef) -> std::result::Result<(), String> {
    let kind = column.data_type();
    if !matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) {
        return Err(format!("type {kind}"));
    }
    column.to_data().validate_full().map_err(|e| e.to_string())
}

fn all_owned<'a>(words: impl Iterator<Item = Option<&'a str>>) -> std::result::Result<Vec<String>, String> {
    words.map(|word| owned(word.unwrap_or_default())).collect()
}

/// Number plain strings in order of first occurrence.
fn number<'a>(
    strings: impl Iterator<Item = Option<&'a str>>,
) -> std::result::Result<DictionaryColumn, String> {
    let mut words: Vec<String> = Vec::new();
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut codes: Vec<u32> = Vec::with_capacity(strings.size_hint().0);
    for word in strings {
        let Some(word) = word else {
            codes.push(u32::MAX);
            continue;
        };
        // Comparing with a few words is faster than hashing one.
        let first = words.iter().take(COMPARED).position(|known| known == word);
        let known = first.map(|code| code as u32).or_else(|| numbers.get(word).copied());
        let code = if let Some(code) = known {
            code
        } else {
            let code = words.len() as u32;
            words.push(owned(word)?);
            numbers.insert(word, code);
            code
        };
        codes.push(code);
    }
    let beyond = words.len() as u32;
    for code in &mut codes {
        *code = (*code).min(beyond);
    }
    Ok(DictionaryColumn { words, codes: DictionaryCodes::Wide(codes.into()) })
}

/// A word of its own; instrument names, sides and modes are short.
fn owned(word: &str) -> std::result::Result<String, String> {
    if word.len() > WORD_LIMIT {
        return Err(format!("a word of {} bytes", word.len()));
    }
    Ok(word.to_owned())
}
