/* The functions of the equation language, on vectors. Infinity gives the limit and NaN stays NaN; of step and sign, which are
   derivatives, NaN gives what torch makes of it: 1 and 0.

   The largest errors in ulp, to which tests/engines/test_functions.py holds them; benchmarks/functions.py finds the worst number of all:

               float  double
   exp           1.2     1.2
   sigmoid       2.6     2.6
   tanh          2.7     2.7
   softplus      2.2     2.4
   log           1.3     1.4
   sqrt          0.5     0.5
   relu          0.0     0.0
   abs           0.0     0.0
   step          0.0     0.0
   sign          0.0     0.0
   expm1         2.6     2.6
   log1p         3.0     3.0
   silu          4.0     4.0
   sin           1.0     1.0  what C libraries keep to
   cos           1.0     1.0  likewise
   erf           1.0     1.0  likewise
   power         1.0     1.0  likewise
   whole_power   n - 1

   They are a little above the largest found, for float among all numbers, for double among millions, so that they hold with and without
   fused operations. Results below the smallest normal number keep to them, too, but for those of sigmoid,
   which may be 0. Polynomials were fitted for the smallest largest relative error, a fifth of an ulp or less; what remains is rounding.
   `choose` takes the place of loops over lanes with a condition in them, which compilers do not put together again. */

/* The one of two that is smaller, or larger; NaN if `a` is. */
INLINE vec smaller(vec a, vec b)
{
    return choose(b < a, b, a);
}

INLINE vec larger(vec a, vec b)
{
    return choose(b > a, b, a);
}

#ifdef DOUBLE
#define FOR_REAL(name) name
#define EXPONENT 52
#define BIAS 1023
#define SIGN INT64_MIN
#define ROUNDER 6755399441055744.0 /* 1.5 * 2^52: adding it rounds to a whole number */
#define LN2_HIGH 6.93147180369123816490e-01
#define LN2_LOW 1.90821492927058770002e-10
#define EXP_LEAST -746.0
#define EXP_MOST 710.0
#define TANH_MOST 22.0
#define SMALLEST 2.2250738585072014e-308
#define LIFT 54
#else
#define FOR_REAL(name) name##f
#define EXPONENT 23
#define BIAS 127
#define SIGN INT32_MIN
#define ROUNDER 12582912.0f
#define LN2_HIGH 0.693359375f
#define LN2_LOW -2.12194440e-4f
#define EXP_LEAST -104.5f
#define EXP_MOST 89.0f
#define TANH_MOST 10.0f
#define SMALLEST 1.17549435e-38f
#define LIFT 25
#endif

#define POLYNOMIAL(x, ...)                                                                                                             \
    ({                                                                                                                                 \
        static const real factors_[] = {__VA_ARGS__};                                                                                  \
        vec p_ = splat(factors_[0]);                                                                                                   \
        UNROLL for (unsigned i = 1; i < sizeof factors_ / sizeof *factors_; i++) p_ = p_ * (x) + factors_[i];                          \
        p_;                                                                                                                            \
    })

/* exp(r) - 1 on |r| <= ln 2 / 2. */
INLINE vec expm1_near_zero(vec r)
{
#ifdef DOUBLE
    const vec p = POLYNOMIAL(r, 2.5114511899314614175e-8, 2.7626338119721525522e-7, 2.7557227857532217365e-6, 2.4801504439747596123e-5,
                             1.9841269903103734692e-4, 1.3888888932357640978e-3, 8.3333333333145787022e-3, 4.1666666666573814171e-2,
                             0.16666666666666685964, 0.50000000000000055146);
#else
    const vec p = POLYNOMIAL(r, 1.3946486879959509885e-3f, 8.3665983708412334043e-3f, 4.1666281574693003735e-2f, 0.16666542921399038324f,
                             0.50000000620219744539f);
#endif
    return p * r * r + r;
}

INLINE vec power_of_two(mask n)
{
    return (vec)((n + BIAS) << EXPONENT);
}

/* x = n ln 2 + r, |r| <= ln 2 / 2. */
INLINE mask split(vec x, vec *r)
{
    const vec t = x * (real)1.44269504088896340736 + (real)ROUNDER;
    const vec n = t - (real)ROUNDER;
    *r = (x - n * (real)LN2_HIGH) - n * (real)LN2_LOW;
    return (mask)t - (mask)splat((real)ROUNDER);
}

INLINE vec v_exp(vec x)
{
    vec r;
    x = smaller(larger(x, splat(EXP_LEAST)), splat(EXP_MOST));
    const mask n = split(x, &r), half = n >> 1;
    return (expm1_near_zero(r) + (real)1) * power_of_two(half) * power_of_two(n - half);
}

INLINE vec v_sigmoid(vec x)
{
    vec r;
    x = smaller(larger(-x, splat((real)(-BIAS * 0.6931471805599453))), splat(EXP_MOST));
    const mask n = split(x, &r);
    return (real)1 / ((expm1_near_zero(r) + (real)1) * power_of_two(n) + (real)1);
}

/* (exp(2x) - 1) / (exp(2x) + 1): what is divided by is never the smaller one, so that the result is never beyond 1. */
INLINE vec v_tanh(vec x)
{
    vec r;
    const mask sign = (mask)x & SIGN;
    const mask n = split((real)2 * smaller((vec)((mask)x ^ sign), splat(TANH_MOST)), &r);
    const vec scale = power_of_two(n), e = expm1_near_zero(r) * scale + (scale - (real)1);
    return (vec)((mask)(e / (e + (real)2)) | sign);
}

/* n ln 2 + log(1 + f), where 1 + f is between the square roots of a half and of two: with s = f / (2 + f), the logarithm is twice the
   area tangent of s, which has odd powers alone. */
INLINE vec log_of_parts(vec n, vec f)
{
    const vec s = f / (f + (real)2), z = s * s;
#ifdef DOUBLE
    const vec p = POLYNOMIAL(z, 0.14757972756502873722, 0.15318097423268968255, 0.18183394138329526041, 0.22222202139992456424,
                             0.28571428703861678565, 0.3999999999961190583, 0.66666666666666989291);
#else
    const vec p = POLYNOMIAL(z, 0.29847832204163862383f, 0.3997860297459833214f, 0.66666765430507699943f);
#endif
    return n * (real)LN2_HIGH + ((f - s * (f - p * z)) + n * (real)LN2_LOW);
}

INLINE vec v_log(vec x)
{
    const mask low = x < splat(SMALLEST);
    const mask bits = (mask)choose(low, x * (real)(1LL << LIFT), x), root_of_half = (mask)splat((real)0.70710678118654752440);
    const mask n = (bits - root_of_half) >> EXPONENT;
    const vec whole_n = (vec)(n - (low & LIFT) + (mask)splat(ROUNDER)) - (real)ROUNDER;
    const vec y = log_of_parts(whole_n, (vec)(bits - (n << EXPONENT)) - (real)1);
    const vec outside = choose(x == splat(0), splat(-INFINITY), splat(NAN));
    return choose(x > splat(0), choose(x == splat(INFINITY), x, y), outside);
}

/* max(x, 0) + log(1 + exp(-|x|)). */
INLINE vec v_softplus(vec x)
{
    const vec e = v_exp((vec)((mask)x | SIGN));
    const mask high = e > splat((real)0.41421356237309504880);
    const vec y = log_of_parts(choose(high, splat(1), splat(0)), choose(high, e * (real)0.5 - (real)0.5, e));
    return larger(x, splat(0)) + y;
}

INLINE vec v_sqrt(vec x)
{
    for (int l = 0; l < LANES; l++)
        x[l] = FOR_REAL(sqrt)(x[l]);
    return x;
}

INLINE vec v_relu(vec x)
{
    return choose(x < splat(0), splat(0), x);
}

INLINE vec v_abs(vec x)
{
    return (vec)((mask)x & ~SIGN);
}

INLINE vec v_step(vec x)
{
    return choose(x <= splat(0), splat(0), splat(1));
}

INLINE vec v_sign(vec x)
{
    return choose(x > splat(0), splat(1), choose(x < splat(0), splat(-1), splat(0)));
}

INLINE vec v_expm1(vec x)
{
    vec r;
    const vec within = smaller(larger(x, splat((real)(-BIAS * 0.6931471805599453))), splat((real)(BIAS * 0.6931471805599453)));
    const vec scale = power_of_two(split(within, &r));
    return choose(x > within, v_exp(x), expm1_near_zero(r) * scale + (scale - (real)1));
}

/* What 1 + x loses by rounding scales the result (Kahan). */
INLINE vec v_log1p(vec x)
{
    const vec one_more = x + (real)1, kept = one_more - (real)1;
    const vec y = v_log(one_more) * (x / kept);
    return choose((kept == splat(0)) | (x == splat(INFINITY)), x, y);
}

/* Through half the exponent, since x exp(x) may be a normal number where exp(x) is not. */
INLINE vec v_silu(vec x)
{
    const vec root = v_exp((vec)((mask)x | SIGN) * (real)0.5), e = root * root;
    return choose(x < splat(0), x * root * root, x) / (e + (real)1);
}

INLINE vec v_hard_sigmoid(vec x)
{
    return smaller(larger(x / (real)6 + (real)0.5, splat(0)), splat(1));
}

INLINE vec v_elu(vec x, vec p)
{
    return choose(x > splat(0), x, p * v_expm1(x));
}

INLINE vec v_leaky_relu(vec x, vec p)
{
    return choose(x > splat(0), x, p * x);
}

/* NaN if either is. */
INLINE vec v_max(vec a, vec b)
{
    return choose(a > b, a, choose(a <= b, b, a + b));
}

INLINE vec v_min(vec a, vec b)
{
    return choose(a < b, a, choose(a >= b, b, a + b));
}

INLINE vec v_clip(vec a, vec low, vec high)
{
    return v_min(v_max(a, low), high);
}

INLINE vec v_where(vec condition, vec a, vec b)
{
    return choose(condition == splat(0), b, a);
}

INLINE vec v_greater(vec a, vec b)
{
    return choose(a > b, splat(1), splat(0));
}

INLINE vec v_at_least(vec a, vec b)
{
    return choose(a >= b, splat(1), splat(0));
}

INLINE vec v_equal(vec a, vec b)
{
    return choose(a == b, splat(1), splat(0));
}

INLINE vec v_exceeds(vec a, vec b)
{
    return choose(a < b, splat(0), choose(a == b, splat((real)0.5), splat(1)));
}

/* Rare enough to be left to the C library, lane by lane: sine and cosine of large numbers need more digits of pi than a number has. */
static __attribute__((unused, noinline)) vec v_floor(vec x)
{
    for (int l = 0; l < LANES; l++)
        x[l] = FOR_REAL(floor)(x[l]);
    return x;
}

/* a - b floor(a / b), exactly: fmod, and one b more where the signs differ. */
static __attribute__((unused, noinline)) vec v_modulo(vec a, vec b)
{
    for (int l = 0; l < LANES; l++) {
        const real rest = FOR_REAL(fmod)(a[l], b[l]);
        a[l] = rest != 0 && (rest < 0) != (b[l] < 0) ? rest + b[l] : rest;
    }
    return a;
}

INLINE vec v_spike(vec x)
{
    return choose(x == x, v_step(x), x);
}

static __attribute__((unused, noinline)) vec v_sin(vec x)
{
    for (int l = 0; l < LANES; l++)
        x[l] = FOR_REAL(sin)(x[l]);
    return x;
}

static __attribute__((unused, noinline)) vec v_cos(vec x)
{
    for (int l = 0; l < LANES; l++)
        x[l] = FOR_REAL(cos)(x[l]);
    return x;
}

static __attribute__((unused, noinline)) vec v_erf(vec x)
{
    for (int l = 0; l < LANES; l++)
        x[l] = FOR_REAL(erf)(x[l]);
    return x;
}

INLINE vec v_gelu(vec x)
{
    return x * ((real)0.5 + (real)0.5 * v_erf(x * (real)0.70710678118654752440));
}

/* Rare enough to be left to the C library: to be as exact, the logarithm would need more digits than a number has. */
static __attribute__((unused, noinline)) vec v_power(vec a, vec b)
{
    for (int l = 0; l < LANES; l++)
        a[l] = FOR_REAL(pow)(a[l], b[l]);
    return a;
}

/* The derivatives of a power: of what is 0 for every base, and at 0, where the logarithm has no value but the product has a limit. */
INLINE vec v_power_slope(vec a, vec p)
{
    return choose(p == splat(0), splat(0), p * v_power(a, p - splat(1)));
}

INLINE vec v_power_log(vec a, vec p)
{
    return choose((a == splat(0)) & (p >= splat(0)), splat(0), v_power(a, p) * v_log(a));
}

/* A whole power by squaring. */
INLINE vec whole_power(vec a, unsigned n)
{
    vec v = splat(1);
    for (; n; n >>= 1, a = a * a)
        if (n & 1)
            v = v * a;
    return v;
}
