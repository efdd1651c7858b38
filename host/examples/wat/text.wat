;; A text tool: `shout` makes ASCII letters large, `repeat` says what was wrong with its arguments.
(component
  (core module $m
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))

    ;; Where the host puts strings: one after the other, up to 64 KiB in all.
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      global.get $next
      (global.set $next (i32.add (global.get $next) (local.get 3))))

    ;; Answers with the same place and length, written to 0.
    (func $answer (param $at i32) (param $len i32) (result i32)
      (i32.store (i32.const 0) (local.get $at))
      (i32.store (i32.const 4) (local.get $len))
      i32.const 0)

    (func (export "shout") (param $at i32) (param $len i32) (result i32)
      (local $i i32)
      (local $byte i32)
      (loop $each
        (if (i32.lt_u (local.get $i) (local.get $len))
          (then
            (local.set $byte (i32.load8_u (i32.add (local.get $at) (local.get $i))))
            (if (i32.lt_u (i32.sub (local.get $byte) (i32.const 97)) (i32.const 26))
              (then
                (i32.store8
                  (i32.add (local.get $at) (local.get $i))
                  (i32.sub (local.get $byte) (i32.const 32)))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            br $each)))
      (call $answer (local.get $at) (local.get $len)))

    ;; result<string, string>: the case to 8, the text to 12.
    (data (i32.const 64) "at least once, please")
    (func (export "repeat") (param $at i32) (param $len i32) (param $times i32) (result i32)
      (local $to i32)
      (if (i32.eqz (local.get $times))
        (then
          (i32.store (i32.const 8) (i32.const 1))
          (i32.store (i32.const 12) (i32.const 64))
          (i32.store (i32.const 16) (i32.const 21))
          (return (i32.const 8))))
      (local.set $to (global.get $next))
      (i32.store (i32.const 8) (i32.const 0))
      (i32.store (i32.const 12) (local.get $to))
      (i32.store (i32.const 16) (i32.mul (local.get $len) (local.get $times)))
      (loop $each
        (memory.copy (global.get $next) (local.get $at) (local.get $len))
        (global.set $next (i32.add (global.get $next) (local.get $len)))
        (local.set $times (i32.sub (local.get $times) (i32.const 1)))
        (br_if $each (local.get $times)))
      i32.const 8))

  (core instance $i (instantiate $m))
  (func $shout (param "text" string) (result string)
    (canon lift (core func $i "shout") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (func $repeat (param "text" string) (param "times" u32) (result (result string (error string)))
    (canon lift (core func $i "repeat") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (instance $tools
    (export "shout" (func $shout))
    (export "repeat" (func $repeat)))
  (export "demo:text/tools@1.0.0" (instance $tools)))
