;; A till: it asks the host for the price of each item and answers the sum.
(component
  (import "demo:till/prices" (instance $prices
    (export "price" (func (param "item" string) (result u32)))))

  (core module $memory
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.set $next (i32.and (i32.add (global.get $next) (i32.const 3)) (i32.const -4)))
      global.get $next
      (global.set $next (i32.add (global.get $next) (local.get 3)))))
  (core instance $mem (instantiate $memory))
  (core func $price (canon lower (func $prices "price") (memory (core memory $mem "memory"))))

  (core module $main
    (import "host" "price" (func $price (param i32 i32) (result i32)))
    (import "mem" "memory" (memory 1))
    (func (export "total") (param $at i32) (param $len i32) (result i32)
      (local $sum i32)
      (loop $each
        (if (local.get $len)
          (then
            (local.set $sum (i32.add (local.get $sum)
              (call $price (i32.load (local.get $at)) (i32.load offset=4 (local.get $at)))))
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (local.set $len (i32.sub (local.get $len) (i32.const 1)))
            br $each)))
      local.get $sum))
  (core instance $i (instantiate $main
    (with "host" (instance (export "price" (func $price))))
    (with "mem" (instance $mem))))
  (func (export "total") (param "items" (list string)) (result u32)
    (canon lift (core func $i "total") (memory (core memory $mem "memory")) (realloc (core func $mem "realloc")))))
