/* Matrices that are states: they lie flat, head by head and row by row. `area` is the number of all their entries, `units` that of a vector
   along their rows or columns, of all heads; `at` is where the vector of units that is wanted begins, in what is written. */

/* For each entry of a matrix, its row's unit. */
static __attribute__((unused)) vec repeat(const real *from, long at, long area, long units, long heads)
{
    const long wide = area / units;
    (void)heads;
    if (wide % LANES == 0)
        return splat(from[at / wide]);
    vec out = splat(0);
    for (long l = 0; l < LANES && at + l < area; l++)
        out[l] = from[(at + l) / wide];
    return out;
}

/* For each entry, its column's unit. */
static __attribute__((unused)) vec tile(const real *from, long at, long area, long units, long heads)
{
    const long wide = units / heads, head = area / heads;
    if (wide % LANES == 0)
        return load(from + at / head * wide + at % wide);
    vec out = splat(0);
    for (long l = 0; l < LANES && at + l < area; l++)
        out[l] = from[(at + l) / head * wide + (at + l) % wide];
    return out;
}

/* For each row, the sum of its entries. */
static __attribute__((unused)) vec add_columns(const real *from, long at, long area, long units, long heads)
{
    const long wide = area / units;
    vec out = splat(0);
    (void)heads;
    for (long l = 0; l < LANES && at + l < units; l++) {
        const real *row = from + (at + l) * wide;
        long j = 0;
        real sum = 0;
        if (wide >= LANES) {
            vec sums = splat(0);
            for (; j + LANES <= wide; j += LANES)
                sums += load(row + j);
            for (long k = 0; k < LANES; k++)
                sum += sums[k];
        }
        for (; j < wide; j++)
            sum += row[j];
        out[l] = sum;
    }
    return out;
}

/* For each column, the sum of its entries. */
static __attribute__((unused)) vec add_rows(const real *from, long at, long area, long units, long heads)
{
    const long wide = units / heads, head = area / heads;
    vec out = splat(0);
    if (wide % LANES == 0) {
        const real *first = from + at / wide * head + at % wide;
        for (long i = 0; i < head; i += wide)
            out += load(first + i);
        return out;
    }
    for (long l = 0; l < LANES && at + l < units; l++) {
        const real *first = from + (at + l) / wide * head + (at + l) % wide;
        for (long i = 0; i < head; i += wide)
            out[l] += first[i];
    }
    return out;
}
