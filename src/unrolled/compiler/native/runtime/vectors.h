/* Vectors as wide as the registers that the compiler was told of, in the compilers' own vector arithmetic. */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef DOUBLE
typedef double real;
typedef int64_t whole;
#else
typedef float real;
typedef int32_t whole;
#endif

#if defined __AVX512F__
#define BYTES 64
#elif defined __AVX__
#define BYTES 32
#else
#define BYTES 16
#endif

/* How many sums a tile may keep in registers, beside what it multiplies. */
#if defined __AVX512F__ || defined __aarch64__
#define SUMS 24
#else
#define SUMS 12
#endif

#define LANES ((long)(BYTES / sizeof(real)))
#define INLINE static inline __attribute__((always_inline, unused))
#define UNROLL _Pragma("GCC unroll 32")
#define LEAST(a, b) ((a) < (b) ? (a) : (b))
#define COUNT(list) ((long)(sizeof(list) / sizeof *(list)))
#define MOST(a, b) ((a) > (b) ? (a) : (b))

/* Rows lie in memory padded to whole vectors. */
#define PADDED(units) (((units) + LANES - 1) / LANES * LANES)

typedef real vec __attribute__((vector_size(BYTES)));
typedef whole mask __attribute__((vector_size(BYTES)));

INLINE vec load(const real *from)
{
    vec v;
    memcpy(&v, from, BYTES);
    return v;
}

INLINE void store(real *to, vec v)
{
    memcpy(to, &v, BYTES);
}

/* The first `count` lanes alone, where what follows in memory is another's. */
INLINE vec load_some(const real *from, long count)
{
    vec v = {0};
    if (count >= LANES)
        return load(from);
    memcpy(&v, from, (size_t)count * sizeof(real));
    return v;
}

INLINE void store_some(real *to, vec v, long count)
{
    if (count >= LANES)
        store(to, v);
    else
        memcpy(to, &v, (size_t)count * sizeof(real));
}

INLINE vec splat(real a)
{
    return a - (vec){0};
}

/* Packed weights: numbers as they are, or with NARROW their upper halves (bfloat16), which take half the room. Sums are never narrow. */
#ifdef NARROW
typedef uint16_t weight;

INLINE vec load_weights(const weight *from)
{
    typedef weight halves __attribute__((vector_size(BYTES / 2)));
    halves h;
    memcpy(&h, from, sizeof h);
    return (vec)(__builtin_convertvector(h, mask) << 16);
}

/* To the nearest, to the even one of two; NaN stays NaN. */
INLINE weight narrowed(real a)
{
    uint32_t bits;
    memcpy(&bits, &a, sizeof bits);
    return (weight)(a != a ? bits >> 16 | 64 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
/* A weight that is read where it lies, as if it were packed. */
INLINE real rounded(real a)
{
    const uint32_t bits = (uint32_t)narrowed(a) << 16;
    memcpy(&a, &bits, sizeof a);
    return a;
}
#else
typedef real weight;
#define load_weights load
#define narrowed(a) (a)
#define rounded(a) (a)
#endif

/* Lane by lane: `yes` where the mask is set, else `no`. */
INLINE vec choose(mask where, vec yes, vec no)
{
    return (vec)((where & (mask)yes) | (~where & (mask)no));
}
