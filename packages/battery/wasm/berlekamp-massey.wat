;; The linear complexities of 128 sequences, for packages/battery/src/sp800-22/berlekamp-massey.ts.
;;
;; Berlekamp and Massey's algorithm on 128 sequences in step: bit k of every vector belongs to sequence k, so no branch
;; but the bound on degrees depends on the sequences. In memory, in vectors of 16 bytes:
;;
;;        0  the sequences: vector i holds bit i of each; one vector of zeros after the last
;;     8192  the connection polynomial C, coefficient 0 first
;;    16384  the former polynomial B: multiplying it by x moves its start down by one vector
;;    32768  e = n - 2L after n bits with a register of length L: ten vectors, a number in two's complement
;;
;; A discrepancy where e >= 0 lengthens the register from L to n + 1 - L, so that n + 1 - 2L becomes its negative,
;; -(e + 1): the complement of e. Everywhere else e grows by one.
(module
  (memory (export "memory") 1)

  ;; Takes `length` bits of each sequence, at most 511, and leaves e at 32768.
  (func (export "run") (param $length i32)
    (local $n i32) (local $start i32)
    (local $c i32) (local $b i32) (local $s i32) (local $end i32)
    (local $difference v128) (local $lengthen v128) (local $next v128)
    (local $old v128) (local $former v128) (local $carry v128)
    (memory.fill (i32.const 8192) (i32.const 0) (i32.const 24736))
    (v128.store (i32.const 8192) (v128.const i64x2 -1 -1))
    (local.set $start (i32.add (i32.const 16384) (i32.shl (local.get $length) (i32.const 4))))
    (v128.store (local.get $start) (v128.const i64x2 -1 -1))
    (local.set $start (i32.sub (local.get $start) (i32.const 16)))
    (local.set $difference (v128.load (i32.const 0)))
    (loop $steps
      (local.set $lengthen
        (v128.andnot (local.get $difference) (v128.load (i32.const 32912))))
      ;; C, B = C + d x^(n-m) B, B or C; and the next discrepancy: the sum of C[i] s[n + 1 - i].
      (local.set $c (i32.const 8192))
      (local.set $b (local.get $start))
      (local.set $s (i32.shl (i32.add (local.get $n) (i32.const 1)) (i32.const 4)))
      (local.set $end
        (i32.add (i32.const 8192) (i32.shl (call $degree (local.get $n)) (i32.const 4))))
      (local.set $next (v128.const i64x2 0 0))
      (loop $coefficients
        (local.set $old (v128.load (local.get $c)))
        (local.set $former (v128.load (local.get $b)))
        (v128.store (local.get $b)
          (v128.bitselect (local.get $old) (local.get $former) (local.get $lengthen)))
        (local.set $old
          (v128.xor (local.get $old) (v128.and (local.get $former) (local.get $difference))))
        (v128.store (local.get $c) (local.get $old))
        (local.set $next
          (v128.xor (local.get $next) (v128.and (local.get $old) (v128.load (local.get $s)))))
        (local.set $c (i32.add (local.get $c) (i32.const 16)))
        (local.set $b (i32.add (local.get $b) (i32.const 16)))
        (local.set $s (i32.sub (local.get $s) (i32.const 16)))
        (br_if $coefficients (i32.le_u (local.get $c) (local.get $end))))
      (local.set $difference (local.get $next))
      (local.set $start (i32.sub (local.get $start) (i32.const 16)))
      ;; e = lengthen ? ~e : e + 1, as (e ^ lengthen) + (lengthen ? 0 : 1).
      (local.set $carry (v128.not (local.get $lengthen)))
      (local.set $s (i32.const 32768))
      (loop $digits
        (local.set $old (v128.xor (v128.load (local.get $s)) (local.get $lengthen)))
        (v128.store (local.get $s) (v128.xor (local.get $old) (local.get $carry)))
        (local.set $carry (v128.and (local.get $carry) (local.get $old)))
        (local.set $s (i32.add (local.get $s) (i32.const 16)))
        (br_if $digits (i32.lt_u (local.get $s) (i32.const 32928))))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $steps (i32.lt_u (local.get $n) (local.get $length)))))

  ;; No polynomial has a higher degree before or after step n: max(L, n + 1 - L) is at most (n + 1 + w) / 2, where w is
  ;; the power of two above every |e|, from the highest digit in which some e differs from its sign.
  (func $degree (param $n i32) (result i32)
    (local $digit i32) (local $sign v128) (local $most i32)
    (local.set $sign (v128.load (i32.const 32912)))
    (local.set $digit (i32.const 8))
    (block $found
      (loop $digits
        (br_if $found
          (v128.any_true
            (v128.xor
              (local.get $sign)
              (v128.load offset=32768 (i32.shl (local.get $digit) (i32.const 4))))))
        (local.set $digit (i32.sub (local.get $digit) (i32.const 1)))
        (br_if $digits (i32.ge_s (local.get $digit) (i32.const 0)))))
    (local.set $n (i32.add (local.get $n) (i32.const 1)))
    (local.set $most
      (i32.shr_u
        (i32.add (local.get $n) (i32.shl (i32.const 1) (i32.add (local.get $digit) (i32.const 1))))
        (i32.const 1)))
    (select (local.get $n) (local.get $most) (i32.lt_u (local.get $n) (local.get $most)))))
