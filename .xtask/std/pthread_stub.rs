//! The thread functions that `std` refers to and Debian's wasi-libc of 2022 lacks.
//!
//! They say ENOTSUP (58), as newer single-threaded versions of that library do.

#![no_std]

type Pointer = *mut core::ffi::c_void;

#[unsafe(no_mangle)]
pub extern "C" fn pthread_attr_init(_: Pointer) -> i32 {
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn pthread_attr_destroy(_: Pointer) -> i32 {
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn pthread_attr_setstacksize(_: Pointer, _: usize) -> i32 {
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn pthread_create(_: Pointer, _: Pointer, _: Pointer, _: Pointer) -> i32 {
    58
}

#[unsafe(no_mangle)]
pub extern "C" fn pthread_join(_: Pointer, _: Pointer) -> i32 {
    58
}

#[unsafe(no_mangle)]
pub extern "C" fn pthread_detach(_: Pointer) -> i32 {
    58
}
