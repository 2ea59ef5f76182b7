// What a backend asks of one group of replicas: the same type for every instruction set.
#pragma once
#include "cell.hpp"

namespace limrisk::kernels {

/// Replicas of a group and where their results go. Record and Check are the public structs; optional pointers may be null.
template <class Record, class Check>
struct GroupTask {
    const Cell* cell;
    std::int64_t first_trial;
    int replicas;  ///< 1 .. those of the group
    char* arena;
    Record* records;  ///< [replicas]
    Check* checks;    ///< optional [replicas][checks + 1]
    /// Optional, canonical order, [replicas][parameters] each: at the start, at the end, optimizer states at the end.
    double *initial_parameters, *parameters, *first_state, *second_state;
    /// Snapshots: looks at the replicas at further steps, which change nothing of them or of their records.
    const std::int64_t* snapshot_steps;  ///< [snapshot_count] ascending, each 0 .. steps once
    std::int64_t snapshot_count;
    Check* snapshot_checks;       ///< [replicas][snapshot_count]
    double* snapshot_parameters;  ///< [replicas][snapshot_count][parameters], canonical order
    /// Told every few milliseconds of work how many more steps the group has done; false: give up.
    bool (*advance)(void* context, std::int64_t steps);
    void* context;
};

}  // namespace limrisk::kernels
