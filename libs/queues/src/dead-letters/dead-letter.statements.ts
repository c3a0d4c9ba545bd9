/** SQL of dead letters. job.statements writes them, in the statement that fails a job, and removes them, in those that queue it again. */
import { tenantRead, tenantStatement } from '#libs/database';
import { orLetterGone } from '../jobs/job.statements';

const COLUMNS = 'id, job_id, type, class, payload, error, attempts, failed_at';

export const selectLetter = tenantRead(
  'dead_letter_select',
  `select ${COLUMNS} from dead_letters where organization_id = $1 and id = $2`,
);

/** The letter of a job ($2), as it stands on the primary. */
export const selectLetterOf = tenantRead(
  'dead_letter_select_of',
  'select id from dead_letters where organization_id = $1 and job_id = $2',
  'primary',
);

export const listLetters = tenantRead(
  'dead_letter_list',
  `select ${COLUMNS} from dead_letters
   where organization_id = $1 and ($2::text is null or type = $2) and ($3::uuid is null or id < $3)
   order by id desc limit $4`,
);

/** Ids of a type's letters, the oldest first, up to $4 or else the newest that there is now; each names it as `until`. */
export const oldestLetters = tenantRead(
  'dead_letter_list_oldest',
  `with newest as (select coalesce($4::uuid,
     (select id from dead_letters where organization_id = $1 and type = $2 order by id desc limit 1)) as id)
   select l.id, newest.id as until from dead_letters l cross join newest
   where organization_id = $1 and type = $2 and ($3::uuid is null or l.id > $3) and l.id <= newest.id
   order by l.id limit $5`,
  'primary',
);

/** Refuses with LETTER_GONE. The job stays, as failed. */
export const discardLetter = tenantStatement(
  'dead_letter_discard',
  `with letter as (delete from dead_letters where organization_id = $1 and id = $2 returning id)
   select letter.id from (values (1)) one left join letter on true
   ${orLetterGone('letter.id is not null')}`,
);
