/* Passes over all places and units of some values at once; and planes whose channels come to stand last. */

/* Rows of units, one for each place, `step` numbers apart: 0 where all are one. After `period` places they begin again, if it is not 0. */
typedef struct {
    const real *from;
    long step, period;
} Rows;

/* What a pass is given. Rows that it writes lie one after the other. Of what it reads there is a whole vector from every place on but the last
   LANES ones, and of rows that begin again from all. */
typedef struct {
    long places, units, threads;
    const Rows *from;
    real *const *to;
} Pass;

INLINE const real *row_of(const Rows *rows, long place)
{
    return rows->from + (rows->period ? place % rows->period : place) * rows->step;
}

/* `compute_N(from, to, at, some)`, from unit `at` on, for all places, as a function that others can call; it reads and writes so many values.
   A vector may reach into the next row, which is written later, but not into that of another thread. */
#define PASS(N, READ, WRITTEN)                                                                                                         \
    static void share_##N(void *data, Team *team, long thread, long threads)                                                           \
    {                                                                                                                                  \
        const Pass *pass = data;                                                                                                       \
        const long units = pass->units, first = pass->places * thread / threads, end = pass->places * (thread + 1) / threads;          \
        const real *from[READ];                                                                                                        \
        real *to[WRITTEN];                                                                                                             \
        (void)team;                                                                                                                    \
        for (long place = first; place < end; place++) {                                                                               \
            UNROLL for (long k = 0; k < READ; k++) from[k] = row_of(pass->from + k, place);                                            \
            UNROLL for (long k = 0; k < WRITTEN; k++) to[k] = pass->to[k] + place * units;                                             \
            const long whole = place + LANES < end ? units : units / LANES * LANES;                                                    \
            long at = 0;                                                                                                               \
            for (; at < whole; at += LANES)                                                                                            \
                compute_##N(from, to, at, LANES);                                                                                      \
            if (at < units)                                                                                                            \
                compute_##N(from, to, at, units - at);                                                                                 \
        }                                                                                                                              \
    }                                                                                                                                  \
    void pass_##N(Pass *pass)                                                                                                          \
    {                                                                                                                                  \
        run_team(share_##N, pass, pass->threads);                                                                                      \
    }

/* Planes whose channels are to stand last. */
typedef struct {
    long planes, channels, places, threads;
    const real *from;
    real *to;
} Planes;

/* A square of channels and places, whole where it can be: then turned in registers. */
INLINE void turn(const real *from, real *to, long channels, long places, long high, long wide)
{
    if (high < LANES || wide < LANES) {
        for (long place = 0; place < wide; place++)
            for (long channel = 0; channel < high; channel++)
                to[place * channels + channel] = from[channel * places + place];
        return;
    }
    vec rows[LANES];
    UNROLL for (long channel = 0; channel < LANES; channel++) rows[channel] = load(from + channel * places);
    UNROLL for (long place = 0; place < LANES; place++)
    {
        vec column = {0};
        UNROLL for (long channel = 0; channel < LANES; channel++) column[channel] = rows[channel][place];
        store(to + place * channels, column);
    }
}

static void share_planes(void *data, Team *team, long thread, long threads)
{
    const Planes *all = data;
    const long channels = all->channels, places = all->places, size = channels * places, strips = (places + LANES - 1) / LANES;
    (void)team;
    for (long k = all->planes * strips * thread / threads; k < all->planes * strips * (thread + 1) / threads; k++) {
        const long plane = k / strips, place = k % strips * LANES;
        for (long channel = 0; channel < channels; channel += LANES)
            turn(all->from + plane * size + channel * places + place, all->to + plane * size + place * channels + channel, channels, places,
                 LEAST(LANES, channels - channel), LEAST(LANES, places - place));
    }
}

void channels_last(Planes *planes)
{
    run_team(share_planes, planes, planes->threads);
}

long lanes(void)
{
    return LANES;
}
