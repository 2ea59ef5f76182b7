// Aggregation on the CPU: Thrust's sequential C++ system, since the driver's workers are threads already.
// The distribution's Thrust, not the toolkit's: a build without CUDA must give the same program.
#include <thrust/system/cpp/execution_policy.h>

#include "aggregation/aggregate_thrust.hpp"

namespace limrisk {
namespace {

struct Host {
    static auto policy() { return thrust::cpp::par; }
    static char* allocate(std::ptrdiff_t bytes) { return static_cast<char*>(::operator new(static_cast<std::size_t>(bytes))); }
    static void deallocate(char* start, std::size_t) { ::operator delete(start); }
    static void copy_to_host(void* to, const void* from, std::size_t bytes) { std::memcpy(to, from, bytes); }
};

}  // namespace

Aggregate aggregate_records(const TrialRecord* records, std::int64_t count, std::int64_t first_trial) {
    Host host;
    return aggregation::aggregate_with(host, records, count, first_trial);
}

}  // namespace limrisk
