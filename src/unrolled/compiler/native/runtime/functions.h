/* The functions of the equation language, on vectors. NaN stays NaN, and infinity gives the limit.

   exp: x = n ln 2 + r with |r| <= ln 2 / 2, exp(r) by a polynomial, times 2^n. tanh: a rational function of x^2, times x. Coefficients
   were fitted to relative errors far below an ulp; with rounding the largest errors are those that tests/engines/test_functions.py holds
   them to. Results below the smallest normal number may be flushed to 0 by sigmoid. */

INLINE vec smaller(vec a, vec b)
{
    return choose(b < a, b, a);
}

INLINE vec larger(vec a, vec b)
{
    return choose(b > a, b, a);
}

#ifdef DOUBLE
#define EXPONENT 52
#define BIAS 1023
#define ROUNDER 6755399441055744.0 /* 1.5 * 2^52: adding it rounds to a whole number */
#define LN2_HIGH 6.93147180369123816490e-01
#define LN2_LOW 1.90821492927058770002e-10
#define EXP_LEAST -746.0
#define EXP_MOST 710.0
#else
#define EXPONENT 23
#define BIAS 127
#define ROUNDER 12582912.0f
#define LN2_HIGH 0.693359375f
#define LN2_LOW -2.12194440e-4f
#define EXP_LEAST -104.5f
#define EXP_MOST 89.0f
#endif

/* exp(r) on |r| <= ln 2 / 2. */
INLINE vec exp_near_zero(vec r)
{
#ifdef DOUBLE
    static const double inverse_factorials[] = {1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880,
                                                1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1, 1};
    vec p = splat(0);
    UNROLL for (int i = 0; i < 14; i++) p = p * r + inverse_factorials[i];
    return p;
#else
    vec p = splat(0.0013836706695012739f);
    p = p * r + 0.0083748981643256330f;
    p = p * r + 0.041668232433818116f;
    p = p * r + 0.16666419193326090f;
    p = p * r + 0.49999992029506093f;
    p = p * r * r + r;
    return p + 1.0f;
#endif
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
    x = smaller(larger(x, splat((real)EXP_LEAST)), splat((real)EXP_MOST));
    const mask n = split(x, &r), half = n >> 1;
    return exp_near_zero(r) * power_of_two(half) * power_of_two(n - half);
}

INLINE vec v_sigmoid(vec x)
{
    vec r;
    const real most = (real)(BIAS * 0.6931471805599453);
    x = smaller(larger(-x, splat(-most)), splat((real)EXP_MOST));
    const mask n = split(x, &r);
    return (real)1 / (exp_near_zero(r) * power_of_two(n) + (real)1);
}

#ifdef DOUBLE
INLINE vec v_tanh(vec x)
{
    const vec s = x * x, size = (vec)((mask)x & INT64_MAX);
    vec p = splat(2.8875319930086875604e-8), q = splat(1.3018363405087258079e-6);
    p = p * s + 2.8674753186434798948e-5;
    p = p * s + 3.9190601980764015795e-3;
    p = p * s + 0.13723533253516193056;
    p = p * s * x + x;
    q = q * s + 4.0175621261041990639e-4;
    q = q * s + 2.7441948820908156213e-2;
    q = q * s + 0.4705686658684952639;
    q = q * s + 1.0;
    const vec far = 1.0 - 2.0 / (v_exp(2.0 * size) + 1.0);
    const mask sign = (mask)x & INT64_MIN;
    return choose(size > splat(0.6), (vec)((mask)far | sign), p / q);
}
#else
INLINE vec v_tanh(vec x)
{
    x = smaller(larger(x, splat(-9.02f)), splat(9.02f));
    const vec s = x * x;
    vec p = splat(-1.2187230408719456511e-11f), q = splat(1.2867427296408905561e-6f);
    p = p * s + 3.0563418753171526278e-8f;
    p = p * s + 2.7998577142294025736e-5f;
    p = p * s + 3.8678907301634399798e-3f;
    p = p * s + 0.1367956717996077211f;
    p = p * s * x + x;
    q = q * s + 3.9378583053065249473e-4f;
    q = q * s + 0.027244242218620206979f;
    q = q * s + 0.47012899238527958834f;
    q = q * s + 1.0f;
    return p / q;
}
#endif

INLINE vec v_relu(vec x)
{
    return choose(x < splat(0), splat(0), x);
}

INLINE vec v_abs(vec x)
{
    return choose(x < splat(0), -x, x) + (real)0;
}

INLINE vec v_step(vec x)
{
    return choose(x > splat(0), splat(1), splat(0));
}

INLINE vec v_sign(vec x)
{
    return choose(x > splat(0), splat(1), choose(x < splat(0), splat(-1), splat(0)));
}

/* What is rare enough to be left to the C library, lane by lane. */
#define EACH_LANE(name, value)                                                                                                         \
    static __attribute__((unused, noinline)) vec name(vec a)                                                                           \
    {                                                                                                                                  \
        vec v;                                                                                                                         \
        for (int l = 0; l < LANES; l++)                                                                                                \
            v[l] = (real)(value);                                                                                                      \
        return v;                                                                                                                      \
    }
EACH_LANE(v_sqrt, sqrt(a[l]))
EACH_LANE(v_log, log(a[l]))
EACH_LANE(v_softplus, a[l] > 0 ? a[l] + log1p(exp(-a[l])) : log1p(exp(a[l])))

static __attribute__((unused, noinline)) vec v_power(vec a, vec b)
{
    vec v;
    for (int l = 0; l < LANES; l++)
        v[l] = (real)pow(a[l], b[l]);
    return v;
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
