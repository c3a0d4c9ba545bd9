/** Sketches of latencies in SQL: the same algorithm as LatencySketch in libs/usage; a test holds both against each other. */

export const SKETCH_FUNCTIONS = `
  -- A sketch is {bucket, count, bucket, count, …} with rising buckets. Merging two adds the counts of each bucket, in whatever
  -- order sketches are merged.
  create function merge_sketches(one integer[], other integer[]) returns integer[] language plpgsql immutable strict parallel safe
    set search_path = pg_catalog, pg_temp as $$
  declare
    merged integer[] := '{}'; i integer := 1; j integer := 1; a integer; b integer;
  begin
    if cardinality(one) = 0 then return other; end if;
    loop
      a := one[i]; b := other[j];
      exit when a is null and b is null;
      if b is null or a < b then
        merged := merged || one[i : i + 1]; i := i + 2;
      elsif a is null or b < a then
        merged := merged || other[j : j + 1]; j := j + 2;
      else
        merged := merged || array[a, one[i + 1] + other[j + 1]]; i := i + 2; j := j + 2;
      end if;
    end loop;
    return merged;
  end $$;

  create aggregate merged_sketch(integer[]) (sfunc = merge_sketches, stype = integer[], parallel = safe, combinefunc = merge_sketches);

  revoke execute on function merge_sketches(integer[], integer[]), merged_sketch(integer[]) from public;
  grant execute on function merge_sketches(integer[], integer[]), merged_sketch(integer[]) to stockyard_app;`;
