// What a backend asks of a chunk of trials, which train side by side: the same type for every instruction set.
#pragma once
#include <cstddef>

#include "cell.hpp"

namespace limrisk::kernels {

/// Trials and where their results go. Record and Check are the public structs; optional pointers may be null.
template <class Record, class Check>
struct ChunkTask {
    const Cell* cell;
    std::int64_t first_trial, trials;
    char* arena;
    Record* records;  ///< [trials]
    Check* checks;    ///< optional [trials][checks + 1]; those behind the end of a trial may be left as they are
    /// Optional, canonical order: where trials start instead of at what their initialization draws. start_stride: numbers from the start of
    /// one trial to that of the next; 0: all have the same.
    const double* start;
    std::int64_t start_stride;
    /// Optional, canonical order, [trials][parameters] each: at the start, at the end, at the check of best_step, optimizer states at the
    /// end.
    double *initial_parameters, *parameters, *best_parameters, *first_state, *second_state, *third_state;
    double* average_parameters;  ///< optional, likewise: at the end, those of the iterate where the cell has no average
    /// For cells with stop_proved, asked at the checks of a trial that nothing else ends there: whether its limiting risk is proved.
    ///   parameters  [2][parameters] in canonical order, and the first state of the optimizer, if it has one
    ///   step        of the check
    bool (*is_proved)(const Cell& cell, const double* parameters, std::int64_t step);
    /// Snapshots: looks at the replicas at further steps, which change nothing of them or of their records.
    const std::int64_t* snapshot_steps;  ///< [snapshot_count] ascending, each 0 .. steps once
    std::int64_t snapshot_count;
    Check* snapshot_checks;       ///< [trials][snapshot_count]; those behind an early end are left as they are
    double* snapshot_parameters;  ///< [trials][snapshot_count][parameters], canonical order; likewise
    /// Told every few milliseconds of work how many more steps its trials have done, all together; those that a trial does not need because
    /// it has ended count as done. False: give up.
    bool (*advance)(void* context, std::int64_t replica_steps);
    void* context;
    /// Optional: asked at the beginning and after every round in which all groups have done `steps` steps. Gives the steps of the next
    /// round and says whether to write a checkpoint before it. Not with snapshots or checks.
    std::int64_t (*next_round)(void* context, std::int64_t steps, bool& write);
    void (*write)(void* context, const void* bytes, std::size_t count);  ///< gets the checkpoint piece by piece
    const char* checkpoint;  ///< optional [checkpoint_bytes()]: what was written in another run of the chunk, to go on from there
};

}  // namespace limrisk::kernels
