/* Gradients of matrices: outer products of what flowed back to a product and what it had read, summed over all steps and sequences. */

#define OUTER_WIDE 3
#define OUTER_TALL (SUMS / OUTER_WIDE)
#define OUTER_STEPS 192
#define OUTER_PANELS 12
#define OUTER_AHEAD 8

/* What products read: rows by slot, of so many inputs. Without rows it is one-hot, and dealt with elsewhere. */
typedef struct {
    const real *const *rows;
    long inputs;
} Operand;

/* What flowed back to products lies in the tape's rows, from `column` on. For each operand that it met there is a matrix's gradient
   [units, inputs]. */
typedef struct {
    long column, units;
    real *out[OPERANDS];
} Flow;

/* tall[step][unit] times wide[step][input], summed over steps, in registers. */
#define OUTER_TILE(vectors)                                                                                                            \
    static void outer_tile_##vectors(vec (*sum)[OUTER_WIDE], const real *tall, const real *wide, long steps)                           \
    {                                                                                                                                  \
        vec total[OUTER_TALL][vectors];                                                                                                \
        UNROLL for (int r = 0; r < OUTER_TALL; r++) UNROLL for (int c = 0; c < vectors; c++) total[r][c] = splat(0);                   \
        for (long k = 0; k < steps; k++, tall += OUTER_TALL, wide += vectors * LANES) {                                                \
            vec b[vectors];                                                                                                            \
            UNROLL for (int c = 0; c < vectors; c++) b[c] = load(wide + c * LANES);                                                    \
            UNROLL for (int r = 0; r < OUTER_TALL; r++)                                                                                \
            {                                                                                                                          \
                const vec a = splat(tall[r]);                                                                                          \
                UNROLL for (int c = 0; c < vectors; c++) total[r][c] += a * b[c];                                                      \
            }                                                                                                                          \
        }                                                                                                                              \
        UNROLL for (int r = 0; r < OUTER_TALL; r++) UNROLL for (int c = 0; c < vectors; c++) sum[r][c] = total[r][c];                  \
    }
OUTER_TILE(1)
OUTER_TILE(2)
OUTER_TILE(3)

typedef struct {
    const Flow *flow;
    long first, rows;
} OuterPanel;

/* The panels of units, some of one flow each, that the thread takes. Returns their number. */
static long outer_panels(OuterPanel *panels, const Flow *flows, long count, long part, long parts)
{
    long all = 0, taken = 0, number = 0;
    for (long m = 0; m < count; m++)
        all += (flows[m].units + OUTER_TALL - 1) / OUTER_TALL;
    for (long m = 0; m < count; m++)
        for (long u = 0; u < flows[m].units; u += OUTER_TALL, number++)
            if (number >= all * part / parts && number < all * (part + 1) / parts)
                panels[taken++] = (OuterPanel){flows + m, u, LEAST((long)OUTER_TALL, flows[m].units - u)};
    return taken;
}

static long outer_blocks(long inputs)
{
    return (PADDED(inputs) / LANES + OUTER_WIDE - 1) / OUTER_WIDE;
}

/* The vectors before block `b`: blocks differ by one vector at most. */
static long outer_start(long inputs, long b)
{
    return PADDED(inputs) / LANES * b / outer_blocks(inputs);
}

static void pack_operand(real *to, const real *const *rows, long steps, long inputs)
{
    for (long k = 0; k < steps; k++)
        for (long b = 0; b < outer_blocks(inputs); b++) {
            const long start = outer_start(inputs, b) * LANES, wide = outer_start(inputs, b + 1) * LANES - start;
            real *place = to + start * steps + k * wide;
            const long some = LEAST(wide, inputs - start);
            if (some == wide)
                for (long v = 0; v < wide; v += LANES)
                    store(place + v, load(rows[k] + start + v));
            else {
                memcpy(place, rows[k] + start, (size_t)some * sizeof(real));
                memset(place + some, 0, (size_t)(wide - some) * sizeof(real));
            }
        }
}

static void pack_flow(real *to, const OuterPanel *panels, long count, const real *tape, long stride, long steps)
{
    for (long k = 0; k < steps; k++)
        for (long p = 0; p < count; p++) {
            const real *from = tape + k * stride + panels[p].flow->column + panels[p].first;
            real *place = to + (p * steps + k) * OUTER_TALL;
            /* Rows of the tape lie too far apart for the processor to see what comes next. */
            __builtin_prefetch(from + OUTER_AHEAD * stride);
            if (panels[p].rows == OUTER_TALL)
                memcpy(place, from, OUTER_TALL * sizeof(real));
            else
                for (long r = 0; r < OUTER_TALL; r++)
                    place[r] = r < panels[p].rows ? from[r] : 0;
        }
}

static void add_tile(real *out, long rows, vec (*sum)[OUTER_WIDE], long inputs, long start, long vectors, int fresh)
{
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < vectors; c++) {
            real *to = out + r * inputs + start + c * LANES;
            const long some = LEAST(LANES, inputs - start - c * LANES);
            store_some(to, fresh ? sum[r][c] : sum[r][c] + load_some(to, some), some);
        }
}

/* Some panels times one operand, both packed. */
static void outer_block(const OuterPanel *panels, long count, long operand, const real *tall, const real *wide, long inputs, long steps,
                        int fresh)
{
    for (long b = 0; b < outer_blocks(inputs); b++)
        for (long i = 0; i < count; i++) {
            vec sum[OUTER_TALL][OUTER_WIDE];
            const long start = outer_start(inputs, b), vectors = outer_start(inputs, b + 1) - start;
            const real *left = tall + i * steps * OUTER_TALL, *right = wide + start * LANES * steps;
            real *out = panels[i].flow->out[operand];
            if (!out)
                continue;
            if (vectors == 3)
                outer_tile_3(sum, left, right, steps);
            else if (vectors == 2)
                outer_tile_2(sum, left, right, steps);
            else
                outer_tile_1(sum, left, right, steps);
            add_tile(out + panels[i].first * inputs, panels[i].rows, sum, inputs, start * LANES, vectors, fresh);
        }
}

/* All gradients of matrices, or as many as do not add to one another; `part` of `parts` threads. */
static __attribute__((unused)) void outer_products(const Flow *flows, long count, const Operand *operands, long operand_count,
                                                   const real *tape, long stride, long slots, int add, long part, long parts)
{
    long most = 0;
    real *wide[OPERANDS], *tall = aligned(OUTER_STEPS * OUTER_PANELS * OUTER_TALL);
    for (long m = 0; m < count; m++)
        most += flows[m].units / OUTER_TALL + 1;
    OuterPanel *panels = malloc((size_t)most * sizeof *panels);
    for (long o = 0; o < operand_count; o++)
        wide[o] = aligned((size_t)(OUTER_STEPS * PADDED(operands[o].inputs)));
    const long taken = outer_panels(panels, flows, count, part, parts);
    for (long slot = 0; slot < slots; slot += OUTER_STEPS) {
        const long steps = LEAST((long)OUTER_STEPS, slots - slot);
        for (long o = 0; o < operand_count; o++)
            if (operands[o].rows)
                pack_operand(wide[o], operands[o].rows + slot, steps, operands[o].inputs);
        for (long p = 0; p < taken; p += OUTER_PANELS) {
            const long some = LEAST((long)OUTER_PANELS, taken - p);
            pack_flow(tall, panels + p, some, tape + slot * stride, stride, steps);
            for (long o = 0; o < operand_count; o++)
                if (operands[o].rows)
                    outer_block(panels + p, some, o, tall, wide[o], operands[o].inputs, steps, slot == 0 && !add);
        }
    }
    free(panels);
    free(tall);
    for (long o = 0; o < operand_count; o++)
        free(wide[o]);
}

/* The same where the operand is one-hot: what flowed back is added to a column. `out` is zero before. */
static __attribute__((unused)) void add_to_columns(const Flow *flows, long count, long operand, const real *tape, long stride,
                                                   const int64_t *which, long inputs, long slots, long part, long parts)
{
    for (long m = 0; m < count; m++)
        for (long u = flows[m].units * part / parts, end = flows[m].units * (part + 1) / parts; u < end && flows[m].out[operand]; u += 16)
            for (long slot = 0; slot < slots; slot++)
                for (long i = u; i < LEAST(u + 16, end); i++)
                    flows[m].out[operand][i * inputs + which[slot]] += tape[slot * stride + flows[m].column + i];
}

/* A vector's gradient: what flowed back, summed. */
static __attribute__((unused)) void sum_rows(real *out, const real *from, long stride, long units, long slots, int add, long part, long parts)
{
    const long first = units * part / parts, some = units * (part + 1) / parts - first;
    if (!add)
        memset(out + first, 0, (size_t)some * sizeof(real));
    for (long slot = 0; slot < slots; slot++)
        for (long u = first; u < first + some; u++)
            out[u] += from[slot * stride + u];
}
