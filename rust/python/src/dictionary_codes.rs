//! String columns as dictionary codes, whatever the Arrow type of the strings.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, Int32Type, Int64Type, UInt8Type, UInt32Type};
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_buffer::{Buffer, ScalarBuffer};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType};
use liqmap_core::{CoreError, Result};
use rayon::prelude::*;

/// Codes per task of a thread.
const PIECE: usize = 1 << 16;

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

    /// Keys of a dictionary without nulls; negative keys become keys out of range.
    fn of_keys(keys: &dyn Array) -> std::result::Result<Self, ArrowError> {
        let rows = keys.len();
        let bytes = |buffer: &Buffer| Self::Narrow(ScalarBuffer::new(buffer.clone(), 0, rows));
        let words = |buffer: &Buffer| Self::Wide(ScalarBuffer::new(buffer.clone(), 0, rows));
        Ok(match keys.data_type() {
            DataType::Int8 => bytes(keys.as_primitive::<Int8Type>().values().inner()),
            DataType::UInt8 => bytes(keys.as_primitive::<UInt8Type>().values().inner()),
            DataType::Int32 => words(keys.as_primitive::<Int32Type>().values().inner()),
            _ => words(cast(keys, &DataType::UInt32)?.as_primitive::<UInt32Type>().values().inner()),
        })
    }
}

impl DictionaryColumn {
    /// Read a string or dictionary column. Offsets, UTF-8 and keys are validated before use, because they come from a
    /// foreign producer.
    pub fn read(place: &str, column: &ArrayRef) -> Result<Self> {
        let wrong = |found: String| CoreError::column(place, found, "a column of words");
        let fault = |e: ArrowError| wrong(e.to_string());
        let words = |column: &ArrayRef| -> Result<StringArray> {
            let kind = column.data_type();
            if !matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) {
                return Err(wrong(format!("type {kind}")));
            }
            column.to_data().validate_full().map_err(fault)?;
            Ok(cast(column, &DataType::Utf8).map_err(fault)?.as_string::<i32>().clone())
        };
        let Some(dictionary) = column.as_any_dictionary_opt() else {
            return Ok(Self::number(&words(column)?));
        };
        let named = words(dictionary.values())?;
        let count = named.len() as u32;
        let keys = dictionary.keys();
        if keys.null_count() == 0 && named.null_count() == 0 {
            let codes = DictionaryCodes::of_keys(keys).map_err(fault)?;
            return match codes.largest() {
                Some(key) if key >= count => Err(wrong(format!("key {key} of a dictionary of {count}"))),
                _ => Ok(Self { words: owned(&named), codes }),
            };
        }
        let keys = cast(keys, &DataType::Int64).map_err(fault)?;
        let keys = keys.as_primitive::<Int64Type>();
        if let Some(key) = keys.iter().flatten().find(|key| !(0..i64::from(count)).contains(key)) {
            return Err(wrong(format!("key {key} of a dictionary of {count}")));
        }
        let there = |key: &i64| named.is_valid(*key as usize);
        let code = |key: Option<i64>| key.filter(there).map_or(count, |key| key as u32);
        Ok(Self { words: owned(&named), codes: DictionaryCodes::Wide(keys.iter().map(code).collect()) })
    }

    /// Number plain strings in order of first occurrence.
    fn number(strings: &StringArray) -> Self {
        let mut words: Vec<String> = Vec::new();
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let mut last: Option<(&str, u32)> = None;
        let mut codes: Vec<u32> = Vec::with_capacity(strings.len());
        for word in strings {
            let Some(word) = word else {
                codes.push(u32::MAX);
                continue;
            };
            let code = match last {
                Some((same, code)) if same == word => code,
                _ => *numbers.entry(word).or_insert_with(|| {
                    words.push(word.to_owned());
                    words.len() as u32 - 1
                }),
            };
            last = Some((word, code));
            codes.push(code);
        }
        let beyond = words.len() as u32;
        for code in &mut codes {
            *code = (*code).min(beyond);
        }
        Self { words, codes: DictionaryCodes::Wide(codes.into()) }
    }
}

fn owned(words: &StringArray) -> Vec<String> {
    words.iter().map(|word| word.unwrap_or_default().to_owned()).collect()
}
