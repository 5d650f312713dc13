//! Arguments from Python: dimension, alignment and sign are validated before any index, and errors name the argument.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use liqmap_core::{CoreError, Result};
use numpy::{Element, PyReadonlyArrayDyn, PyUntypedArrayMethods};

/// A numpy array of one element type and any dimension.
pub type Array<'py, T> = PyReadonlyArrayDyn<'py, T>;

/// The values of a one-dimensional array: borrowed if contiguous, else copied.
pub fn vector<'a, T: Element + Copy>(name: &str, array: &'a Array<'_, T>) -> Result<Cow<'a, [T]>> {
    check(name, array, 1)?;
    Ok(array.as_slice().map_or_else(|_| array.as_array().iter().copied().collect(), Cow::Borrowed))
}

/// The values of a two-dimensional array row by row, and its shape: borrowed if C-contiguous, else copied.
pub fn matrix<'a, T: Element + Copy>(
    name: &str,
    array: &'a Array<'_, T>,
) -> Result<(Cow<'a, [T]>, [usize; 2])> {
    check(name, array, 2)?;
    let shape = [array.shape()[0], array.shape()[1]];
    let values = match array.as_slice() {
        Ok(values) if array.is_c_contiguous() => Cow::Borrowed(values),
        _ => array.as_array().iter().copied().collect(),
    };
    Ok((values, shape))
}

fn check<T: Element>(name: &str, array: &Array<'_, T>, dimension: usize) -> Result<()> {
    if array.ndim() != dimension {
        let found = format!("an array of shape {:?}", array.shape());
        return Err(CoreError::shape(name, found, format!("dimension {dimension}")));
    }
    if !array.is_aligned() {
        return Err(CoreError::value(
            name,
            "memory that is not aligned",
            "an aligned array (numpy.copy makes one)",
        ));
    }
    Ok(())
}

/// An integer within a range, as an index or count.
pub fn count(name: &str, value: i64, range: RangeInclusive<i64>) -> Result<usize> {
    match usize::try_from(value) {
        Ok(count) if range.contains(&value) => Ok(count),
        _ => Err(CoreError::value(name, value.to_string(), format!("{} to {}", range.start(), range.end()))),
    }
}

/// A shock in ticks, 0 or more.
pub fn shock(ticks: i64) -> Result<i64> {
    if ticks < 0 {
        return Err(CoreError::value("shock", format!("{ticks} ticks"), "0 ticks or more"));
    }
    Ok(ticks)
}
