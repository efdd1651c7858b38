//! How much memory one instance uses, counted as a sum, and which limit it ran into.
//!
//! wasmtime asks [`Usage`] before it makes or grows a memory or a table; its own limits count each
//! memory alone. Knows sizes; knows nothing of calls, output or time.
//!
//! Invariant: `bytes` is at least what the instance's memories and tables hold. Where wasmtime does
//! not say for certain that a growth failed, it stays counted.

use std::io;

use wasmtime::{Error, ResourceLimiter, Result};

use crate::limits::{LimitHit, Limited, Limits};

const TABLE_ELEMENT_BYTES: u64 = 8;

/// The memory account of one instance.
#[derive(Debug)]
pub(crate) struct Usage {
    bytes: u64,
    peak_bytes: u64,
    elements: u64,
    /// The growth that was allowed last, to be taken back if it then fails.
    last: Growth,
    hit: Option<LimitHit>,
    limit_bytes: u64,
    limit_elements: u64,
    limit_instances: u32,
    limit_memories: u32,
    limit_tables: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Growth {
    bytes: u64,
    elements: u64,
}

impl Usage {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            bytes: 0,
            peak_bytes: 0,
            elements: 0,
            last: Growth::default(),
            hit: None,
            limit_bytes: limits.memory_bytes,
            limit_elements: limits.table_elements,
            limit_instances: limits.instances,
            limit_memories: limits.memories,
            limit_tables: limits.tables,
        }
    }

    /// Starts the account of the next call: the memory stays, peak and hit start again.
    #[inline]
    pub(crate) fn begin_call(&mut self) {
        self.peak_bytes = self.bytes;
        self.hit = None;
    }

    /// Lets memories grow by so many more bytes.
    #[cfg(feature = "snapshot")]
    pub(crate) fn allow_more(&mut self, bytes: u64) {
        self.limit_bytes = self.limit_bytes.saturating_add(bytes);
    }

    /// Bytes in memories and tables now.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The most bytes that there were since the call began.
    pub(crate) fn peak_bytes(&self) -> u64 {
        self.peak_bytes
    }

    /// The limit that the guest ran into last, if any.
    pub(crate) fn hit(&self) -> Option<LimitHit> {
        self.hit
    }

    /// Counts a growth, unless it passes a limit or, with `declared` false, the guest's own maximum.
    fn grow(&mut self, growth: Growth, declared: bool) -> bool {
        let elements = self.elements.saturating_add(growth.elements);
        if elements > self.limit_elements && growth.elements > 0 {
            self.hit = Some(LimitHit::new(
                Limited::TableElements,
                self.limit_elements,
                Some(elements),
            ));
            return false;
        }
        let bytes = self.bytes.saturating_add(growth.bytes);
        if bytes > self.limit_bytes {
            self.hit = Some(LimitHit::new(
                Limited::Memory,
                self.limit_bytes,
                Some(bytes),
            ));
            return false;
        }
        if !declared {
            return false;
        }
        self.bytes = bytes;
        self.elements = elements;
        self.peak_bytes = self.peak_bytes.max(bytes);
        self.last = growth;
        true
    }

    /// Takes the last growth back, if `error` says that it was begun and failed. Some failures are
    /// reported without having been asked about; a guest that could have those taken back would
    /// grow without limit.
    fn take_back(&mut self, error: &Error) {
        let begun = error.downcast_ref::<io::Error>().is_some()
            || matches!(
                error.to_string().as_str(),
                "Memory maximum size exceeded" | "Table maximum size exceeded"
            );
        let Growth { bytes, elements } = std::mem::take(&mut self.last);
        if begun {
            self.bytes -= bytes;
            self.elements -= elements;
        }
    }
}

impl ResourceLimiter for Usage {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        let bytes = desired.saturating_sub(current) as u64;
        let declared = maximum.is_none_or(|maximum| desired <= maximum);
        Ok(self.grow(Growth { bytes, elements: 0 }, declared))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        let elements = desired.saturating_sub(current) as u64;
        let declared = maximum.is_none_or(|maximum| desired <= maximum);
        let bytes = elements.saturating_mul(TABLE_ELEMENT_BYTES);
        Ok(self.grow(Growth { bytes, elements }, declared))
    }

    fn memory_grow_failed(&mut self, error: Error) -> Result<()> {
        self.take_back(&error);
        Ok(())
    }

    fn table_grow_failed(&mut self, error: Error) -> Result<()> {
        self.take_back(&error);
        Ok(())
    }

    fn instances(&self) -> usize {
        self.limit_instances as usize
    }

    fn tables(&self) -> usize {
        self.limit_tables as usize
    }

    fn memories(&self) -> usize {
        self.limit_memories as usize
    }
}
