;; The product of a Toeplitz matrix and a vector over GF(2), for packages/entropy/src/extract/toeplitz.ts.
;;
;; Every output bit is the XOR of input bits that lie at a fixed distance from seed bits, so the product is the XOR of
;; windows of the input, one for each seed bit that is set. Four seed bits are taken together: `expand` prepares the 16
;; sums of the input shifted by 0 to 3 bits, and the same once more shifted by 4, in 32 rows; then `accumulate` adds one
;; window of one row for each nibble of the seed. Which windows those are depends on the seed alone, which is public.
;; No address and no branch depends on the input: its bits only flow through shifts and XORs.
(module
  (memory (export "memory") 1)

  ;; Row 1 holds the input; the 30 other rows that are not zero follow from it: row v, v below 16, is the carry-less
  ;; product of the input and v, row 16 + v the same times 16. Columns `first` to `last` are whole vectors, where
  ;; `first` lies at least one byte before the input.
  (func (export "expand") (param $rows i32) (param $stride i32) (param $first i32) (param $last i32)
    (local $bit i32)
    (local.set $bit (i32.const 1))
    (loop $bits
      (call $shift
        (i32.add (local.get $rows) (local.get $stride))
        (call $row (local.get $rows) (local.get $stride) (i32.shl (i32.const 1) (local.get $bit)))
        (local.get $first) (local.get $last) (local.get $bit))
      (local.set $bit (i32.add (local.get $bit) (i32.const 1)))
      (br_if $bits (i32.lt_u (local.get $bit) (i32.const 4))))
    ;; Times 16: rows 17, 18, 20 and 24.
    (local.set $bit (i32.const 0))
    (loop $bits
      (call $shift
        (i32.add (local.get $rows) (local.get $stride))
        (call $row
          (local.get $rows) (local.get $stride)
          (i32.or (i32.const 16) (i32.shl (i32.const 1) (local.get $bit))))
        (local.get $first) (local.get $last) (i32.add (local.get $bit) (i32.const 4)))
      (local.set $bit (i32.add (local.get $bit) (i32.const 1)))
      (br_if $bits (i32.lt_u (local.get $bit) (i32.const 4))))
    (call $combine (local.get $rows) (local.get $stride) (local.get $first) (local.get $last))
    (call $combine
      (call $row (local.get $rows) (local.get $stride) (i32.const 16))
      (local.get $stride) (local.get $first) (local.get $last)))

  (func $row (param $rows i32) (param $stride i32) (param $number i32) (result i32)
    (i32.add (local.get $rows) (i32.mul (local.get $stride) (local.get $number))))

  ;; to = from shifted by `count` bits, 1 to 7, towards the front; the most significant bit of a byte is the first.
  (func $shift
    (param $from i32) (param $to i32) (param $first i32) (param $last i32) (param $count i32)
    (local $rest i32)
    (local.set $rest (i32.sub (i32.const 8) (local.get $count)))
    (loop $columns
      (v128.store
        (i32.add (local.get $to) (local.get $first))
        (v128.or
          (i8x16.shl (v128.load (i32.add (local.get $from) (local.get $first))) (local.get $count))
          (i8x16.shr_u (v128.load offset=1 (i32.add (local.get $from) (local.get $first))) (local.get $rest))))
      (local.set $first (i32.add (local.get $first) (i32.const 16)))
      (br_if $columns (i32.lt_u (local.get $first) (local.get $last)))))

  ;; The sums of two to four of the rows 1, 2, 4 and 8.
  (func $combine (param $rows i32) (param $stride i32) (param $first i32) (param $last i32)
    (local $one v128) (local $two v128) (local $three v128) (local $four v128) (local $eight v128) (local $twelve v128)
    (local $at i32)
    (loop $columns
      (local.set $at (i32.add (local.get $rows) (i32.add (local.get $first) (local.get $stride))))
      (local.set $one (v128.load (local.get $at)))
      (local.set $at (i32.add (local.get $at) (local.get $stride)))
      (local.set $two (v128.load (local.get $at)))
      (local.set $three (v128.xor (local.get $one) (local.get $two)))
      (local.set $at (i32.add (local.get $at) (local.get $stride)))
      (v128.store (local.get $at) (local.get $three))
      (local.set $at (i32.add (local.get $at) (local.get $stride)))
      (local.set $four (v128.load (local.get $at)))
      (local.set $at (i32.add (local.get $at) (local.get $stride)))
      (v128.store (local.get $at) (v128.xor (local.get $four) (local.get $one)))
      (local.set $at (i32.add (local.get $at) (local.get $stride)))
      (v128.store (local.get $at) (v128.xor (local.get $four) (local.get $two)))
      (local.set $at (i32.add (local.get $at) (local.get $stride)))
      (v128.store (local.get $at) (v128.xor (local.get $four) (local.get $three)))
      (local.set $at (i32.add (local.get $at) (local.get $stride)))
      (local.set $eight (v128.load (local.get $at)))
      (local.set $twelve (v128.xor (local.get $eight) (local.get $four)))
      (local.set $at (i32.add (local.get $at) (local.get $stride)))
      (v128.store (local.get $at) (v128.xor (local.get $eight) (local.get $one)))
      (local.set $at (i32.add (local.get $at) (local.get $stride)))
      (v128.store (local.get $at) (v128.xor (local.get $eight) (local.get $two)))
      (local.set $at (i32.add (local.get $at) (local.get $stride)))
      (v128.store (local.get $at) (v128.xor (local.get $eight) (local.get $three)))
      (local.set $at (i32.add (local.get $at) (local.get $stride)))
      (v128.store (local.get $at) (local.get $twelve))
      (local.set $at (i32.add (local.get $at) (local.get $stride)))
      (v128.store (local.get $at) (v128.xor (local.get $twelve) (local.get $one)))
      (local.set $at (i32.add (local.get $at) (local.get $stride)))
      (v128.store (local.get $at) (v128.xor (local.get $twelve) (local.get $two)))
      (local.set $at (i32.add (local.get $at) (local.get $stride)))
      (v128.store (local.get $at) (v128.xor (local.get $twelve) (local.get $three)))
      (local.set $first (i32.add (local.get $first) (i32.const 16)))
      (br_if $columns (i32.lt_u (local.get $first) (local.get $last)))))

  ;; Writes `strips` strips of 128 bytes to `output`. The list from `list` to `end` holds the address of each window
  ;; for the first strip, in pairs.
  (func (export "accumulate") (param $list i32) (param $end i32) (param $output i32) (param $strips i32)
    (local $next i32) (local $strip i32) (local $one i32) (local $two i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local $e v128) (local $f v128) (local $g v128) (local $h v128)
    (loop $all
      (local.set $a (v128.const i64x2 0 0))
      (local.set $b (v128.const i64x2 0 0))
      (local.set $c (v128.const i64x2 0 0))
      (local.set $d (v128.const i64x2 0 0))
      (local.set $e (v128.const i64x2 0 0))
      (local.set $f (v128.const i64x2 0 0))
      (local.set $g (v128.const i64x2 0 0))
      (local.set $h (v128.const i64x2 0 0))
      (local.set $next (local.get $list))
      (loop $windows
        (local.set $one (i32.add (i32.load (local.get $next)) (local.get $strip)))
        (local.set $two (i32.add (i32.load offset=4 (local.get $next)) (local.get $strip)))
        (local.set $a (v128.xor (local.get $a)
          (v128.xor (v128.load (local.get $one)) (v128.load (local.get $two)))))
        (local.set $b (v128.xor (local.get $b)
          (v128.xor (v128.load offset=16 (local.get $one)) (v128.load offset=16 (local.get $two)))))
        (local.set $c (v128.xor (local.get $c)
          (v128.xor (v128.load offset=32 (local.get $one)) (v128.load offset=32 (local.get $two)))))
        (local.set $d (v128.xor (local.get $d)
          (v128.xor (v128.load offset=48 (local.get $one)) (v128.load offset=48 (local.get $two)))))
        (local.set $e (v128.xor (local.get $e)
          (v128.xor (v128.load offset=64 (local.get $one)) (v128.load offset=64 (local.get $two)))))
        (local.set $f (v128.xor (local.get $f)
          (v128.xor (v128.load offset=80 (local.get $one)) (v128.load offset=80 (local.get $two)))))
        (local.set $g (v128.xor (local.get $g)
          (v128.xor (v128.load offset=96 (local.get $one)) (v128.load offset=96 (local.get $two)))))
        (local.set $h (v128.xor (local.get $h)
          (v128.xor (v128.load offset=112 (local.get $one)) (v128.load offset=112 (local.get $two)))))
        (local.set $next (i32.add (local.get $next) (i32.const 8)))
        (br_if $windows (i32.lt_u (local.get $next) (local.get $end))))
      (v128.store (local.get $output) (local.get $a))
      (v128.store offset=16 (local.get $output) (local.get $b))
      (v128.store offset=32 (local.get $output) (local.get $c))
      (v128.store offset=48 (local.get $output) (local.get $d))
      (v128.store offset=64 (local.get $output) (local.get $e))
      (v128.store offset=80 (local.get $output) (local.get $f))
      (v128.store offset=96 (local.get $output) (local.get $g))
      (v128.store offset=112 (local.get $output) (local.get $h))
      (local.set $output (i32.add (local.get $output) (i32.const 128)))
      (local.set $strip (i32.add (local.get $strip) (i32.const 128)))
      (local.set $strips (i32.sub (local.get $strips) (i32.const 1)))
      (br_if $all (local.get $strips)))))
