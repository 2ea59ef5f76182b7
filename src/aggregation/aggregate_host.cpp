// Aggregation on the CPU: Thrust's sequential C++ system, since the driver's workers are threads already.
// The distribution's Thrust, not the toolkit's: a build without CUDA must give the same program.
#include <thrust/system/cpp/execution_policy.h>

#include "aggregation/aggregate_thrust.hpp"

namespace limrisk {

Aggregate aggregate_records(const TrialRecord* records, std::int64_t count, std::int64_t first_trial) {
    return aggregation::aggregate_with(thrust::cpp::par, records, count, first_trial);
}

}  // namespace limrisk
