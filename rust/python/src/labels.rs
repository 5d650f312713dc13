//! Columns of words: each row as the number of its word, whatever way Arrow spells strings.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_cast::cast;
use arrow_schema::DataType;
use liqmap_core::{CoreError, Result};

/// Stands for a null.
pub const NULL: u32 = u32::MAX;

/// The words of a column and, per row, which one it holds.
pub struct Labels {
    /// Each word once, or more than once where a dictionary repeats it.
    pub words: Vec<String>,
    /// Per row, an index into `words`, or [`NULL`].
    pub codes: Codes,
}

/// Row codes: the dictionary's own keys where they are 32 bits and none is null.
pub enum Codes {
    Shared(arrow_array::UInt32Array),
    Own(Vec<u32>),
}

impl Codes {
    pub fn as_slice(&self) -> &[u32] {
        match self {
            Self::Shared(keys) => keys.values(),
            Self::Own(codes) => codes,
        }
    }
}

impl Labels {
    /// Read a string or dictionary column. What a foreign producer may have got wrong (offsets, UTF-8, keys out of
    /// range) is checked before it is followed.
    pub fn read(place: &str, column: &ArrayRef) -> Result<Self> {
        let wrong = |found: String| CoreError::new(place, found, "a column of words");
        let words = |column: &ArrayRef| -> Result<StringArray> {
            let kind = column.data_type();
            if !matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) {
                return Err(wrong(format!("type {kind}")));
            }
            column.to_data().validate_full().map_err(|e| wrong(e.to_string()))?;
            Ok(cast(column, &DataType::Utf8).map_err(|e| wrong(e.to_string()))?.as_string::<i32>().clone())
        };
        let Some(dictionary) = column.as_any_dictionary_opt() else {
            return Ok(Self::number(&words(column)?));
        };
        let named = words(dictionary.values())?;
        let keys = cast(dictionary.keys(), &DataType::UInt32).map_err(|e| wrong(e.to_string()))?;
        let keys = keys.as_primitive::<UInt32Type>();
        let null = |key: u32| named.is_null(key as usize);
        let count = named.len() as u32;
        let codes = if keys.null_count() == 0 && named.null_count() == 0 {
            if let Some(key) = keys.values().iter().find(|&&key| key >= count) {
                return Err(wrong(format!("key {key} of a dictionary of {count}")));
            }
            Codes::Shared(keys.clone())
        } else {
            let code = |key: Option<u32>| match key {
                Some(key) if key >= count => Err(wrong(format!("key {key} of a dictionary of {count}"))),
                Some(key) if !null(key) => Ok(key),
                _ => Ok(NULL),
            };
            Codes::Own(keys.iter().map(code).collect::<Result<_>>()?)
        };
        Ok(Self { words: named.iter().map(|word| word.unwrap_or_default().to_owned()).collect(), codes })
    }

    /// Number plain strings in the order in which they are met.
    fn number(strings: &StringArray) -> Self {
        let mut words: Vec<String> = Vec::new();
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let mut last: (&str, u32) = ("", NULL);
        let codes = (0..strings.len()).map(|row| {
            if strings.is_null(row) {
                return NULL;
            }
            let word = strings.value(row);
            if word != last.0 || last.1 == NULL {
                last = (
                    word,
                    *numbers.entry(word).or_insert_with(|| {
                        words.push(word.to_owned());
                        words.len() as u32 - 1
                    }),
                );
            }
            last.1
        });
        let codes = Codes::Own(codes.collect());
        Self { words, codes }
    }
}
