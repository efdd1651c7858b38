;; Functions that use what WASI grants.
(component
  (import "wasi:cli/environment@0.2.0" (instance $environment
    (export "get-environment" (func (result (list (tuple string string)))))
    (export "get-arguments" (func (result (list string))))))
  (import "wasi:cli/exit@0.2.0" (instance $exit
    (export "exit" (func (param "status" (result))))))

  (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $error-resource))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (alias outer 1 $error-resource (type $e0))
    (export "error" (type $e (eq $e0)))
    (type $failure (variant (case "last-operation-failed" (own $e)) (case "closed")))
    (export "stream-error" (type $f (eq $failure)))
    (export "input-stream" (type $in (sub resource)))
    (export "output-stream" (type $out (sub resource)))
    (export "[method]input-stream.blocking-read" (func
      (param "self" (borrow $in)) (param "len" u64) (result (result (list u8) (error $f)))))
    (export "[method]output-stream.blocking-write-and-flush" (func
      (param "self" (borrow $out)) (param "contents" (list u8)) (result (result (error $f)))))))
  (alias export $streams "input-stream" (type $in))
  (alias export $streams "output-stream" (type $out))
  (import "wasi:cli/stdin@0.2.0" (instance $stdin
    (alias outer 1 $in (type $s0))
    (export "input-stream" (type $s (eq $s0)))
    (export "get-stdin" (func (result (own $s))))))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $out (type $s0))
    (export "output-stream" (type $s (eq $s0)))
    (export "get-stdout" (func (result (own $s))))))

  (import "wasi:filesystem/types@0.2.0" (instance $files
    (export "descriptor" (type $d (sub resource)))
    (type $code (enum "access" "would-block" "already" "bad-descriptor" "busy" "deadlock" "quota"
      "exist" "file-too-large" "illegal-byte-sequence" "in-progress" "interrupted" "invalid" "io"
      "is-directory" "loop" "too-many-links" "message-size" "name-too-long" "no-device"
      "no-entry" "no-lock" "insufficient-memory" "insufficient-space" "not-directory"
      "not-empty" "not-recoverable" "unsupported" "no-tty" "no-such-device" "overflow"
      "not-permitted" "pipe" "read-only" "invalid-seek" "text-file-busy" "cross-device"))
    (export "error-code" (type $e (eq $code)))
    (export "[method]descriptor.create-directory-at" (func
      (param "self" (borrow $d)) (param "path" string) (result (result (error $e)))))))
  (alias export $files "descriptor" (type $descriptor))
  (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
    (alias outer 1 $descriptor (type $d0))
    (export "descriptor" (type $d (eq $d0)))
    (export "get-directories" (func (result (list (tuple (own $d) string)))))))

  (core module $libc
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 16384))
    (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
      (global.get $next)
      (global.set $next (i32.and (i32.const -8)
        (i32.add (i32.const 7) (i32.add (global.get $next) (local.get $size)))))))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "memory" (core memory $memory))
  (alias core export $libc "realloc" (core func $realloc))

  (core func $env (canon lower (func $environment "get-environment") (memory $memory) (realloc $realloc)))
  (core func $args (canon lower (func $environment "get-arguments") (memory $memory) (realloc $realloc)))
  (core func $exit (canon lower (func $exit "exit")))
  (core func $in (canon lower (func $stdin "get-stdin")))
  (core func $out (canon lower (func $stdout "get-stdout")))
  (core func $read (canon lower
    (func $streams "[method]input-stream.blocking-read") (memory $memory) (realloc $realloc)))
  (core func $write (canon lower
    (func $streams "[method]output-stream.blocking-write-and-flush") (memory $memory)))
  (core func $dirs (canon lower (func $preopens "get-directories") (memory $memory) (realloc $realloc)))
  (core func $make (canon lower
    (func $files "[method]descriptor.create-directory-at") (memory $memory)))

  (core module $main
    (import "" "memory" (memory 1))
    (import "" "env" (func $env (param i32)))
    (import "" "args" (func $args (param i32)))
    (import "" "exit" (func $exit (param i32)))
    (import "" "in" (func $in (result i32)))
    (import "" "out" (func $out (result i32)))
    (import "" "read" (func $read (param i32 i64 i32)))
    (import "" "write" (func $write (param i32 i32 i32 i32)))
    (import "" "dirs" (func $dirs (param i32)))
    (import "" "make" (func $make (param i32 i32 i32 i32)))
    (data (i32.const 64) "a line\n")
    (func (export "env") (result i32) (call $env (i32.const 0)) (i32.const 0))
    (func (export "args") (result i32) (call $args (i32.const 0)) (i32.const 0))
    (func (export "quit") (param i32) (call $exit (local.get 0)))
    (func (export "print") (param i32)
      (loop $more
        (call $write (call $out) (i32.const 64) (i32.const 7) (i32.const 0))
        (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
        (br_if $more (i32.gt_s (local.get 0) (i32.const 0)))))
    ;; What one read gives: `result<string>`.
    (func (export "read") (result i32)
      (call $read (call $in) (i64.const 100) (i32.const 0))
      (i32.const 0))
    ;; 0, or 1 and the error's code, or 100 without a folder.
    (func (export "make") (param i32 i32) (result i32)
      (call $dirs (i32.const 0))
      (if (i32.eqz (i32.load (i32.const 4))) (then (return (i32.const 100))))
      (call $make (i32.load (i32.load (i32.const 0))) (local.get 0) (local.get 1) (i32.const 8))
      (if (result i32) (i32.load8_u (i32.const 8))
        (then (i32.add (i32.const 1) (i32.load8_u (i32.const 9))))
        (else (i32.const 0)))))
  (core instance $main (instantiate $main (with "" (instance
    (export "memory" (memory $memory))
    (export "env" (func $env))
    (export "args" (func $args))
    (export "exit" (func $exit))
    (export "in" (func $in))
    (export "out" (func $out))
    (export "read" (func $read))
    (export "write" (func $write))
    (export "dirs" (func $dirs))
    (export "make" (func $make))))))

  (func (export "env") (result (list (tuple string string)))
    (canon lift (core func $main "env") (memory $memory)))
  (func (export "args") (result (list string)) (canon lift (core func $main "args") (memory $memory)))
  (func (export "quit") (param "badly" bool) (canon lift (core func $main "quit")))
  (func (export "print") (param "times" u32) (canon lift (core func $main "print")))
  (func (export "read") (result (result string)) (canon lift (core func $main "read") (memory $memory)))
  (func (export "make") (param "name" string) (result u32)
    (canon lift (core func $main "make") (memory $memory) (realloc $realloc))))
