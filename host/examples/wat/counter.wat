;; A counter that remembers: `add` answers the sum of all it was given.
(component
  (core module $m
    (global $sum (mut i32) (i32.const 0))
    (func (export "add") (param i32) (result i32)
      (global.set $sum (i32.add (global.get $sum) (local.get 0)))
      global.get $sum)
    (func (export "spin") (loop $forever br $forever)))
  (core instance $i (instantiate $m))
  (func (export "add") (param "n" u32) (result u32) (canon lift (core func $i "add")))
  (func (export "spin") (canon lift (core func $i "spin"))))
