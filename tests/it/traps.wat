;; Built into traps.wasm with debug information: `wasm-tools parse -g traps.wat -o traps.wasm`.
(component
  (core module $shop
    (func $divide (param $by i32) (result i32)
      i32.const 100
      local.get $by
      i32.div_u)
    (func $share (export "share") (param $among i32) (result i32)
      local.get $among
      call $divide))
  (core instance $i (instantiate $shop))
  (func (export "share") (param "among" u32) (result u32) (canon lift (core func $i "share"))))
