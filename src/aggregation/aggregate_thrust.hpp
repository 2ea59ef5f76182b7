// Aggregation of records with Thrust, the same text for the CPU (aggregate_host.cpp) and for GPUs (aggregate_device.cu).
#pragma once
#include <thrust/execution_policy.h>
#include <thrust/functional.h>
#include <thrust/iterator/constant_iterator.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/reduce.h>
#include <thrust/sort.h>
#include <thrust/transform.h>
#include <thrust/transform_reduce.h>

#include <cstring>
#include <new>

#include "aggregation/aggregate.hpp"

namespace limrisk::aggregation {

template <class Value>
LIMRISK_HOST_DEVICE inline Value field_at(const TrialRecord& record, std::size_t offset) {
    Value value;
    std::memcpy(&value, reinterpret_cast<const char*>(&record) + offset, sizeof value);
    return value;
}

struct RiskKey {
    std::size_t offset;
    LIMRISK_HOST_DEVICE std::int32_t operator()(const TrialRecord& record) const { return risk_bin(field_at<double>(record, offset)); }
};

struct IntegerTerm {
    std::size_t offset;
    LIMRISK_HOST_DEVICE std::int64_t operator()(const TrialRecord& record) const { return field_at<std::int32_t>(record, offset); }
};

/// Risks of several trials, by order_of, and the first trials that have them.
struct Extremes {
    std::uint64_t smallest, largest;
    std::int64_t smallest_trial, largest_trial;
};

struct ExtremesOfTrial {
    const TrialRecord* records;
    std::size_t offset;
    std::int64_t first_trial;
    LIMRISK_HOST_DEVICE Extremes operator()(std::int64_t index) const {
        const std::uint64_t order = order_of(field_at<double>(records[index], offset));
        return {order, order, first_trial + index, first_trial + index};
    }
};

/// Associative and commutative: of equal risks the smaller trial number wins.
struct BothExtremes {
    LIMRISK_HOST_DEVICE Extremes operator()(const Extremes& a, const Extremes& b) const {
        const bool small_a = a.smallest < b.smallest || (a.smallest == b.smallest && a.smallest_trial < b.smallest_trial);
        const bool large_a = a.largest > b.largest || (a.largest == b.largest && a.largest_trial < b.largest_trial);
        return {small_a ? a.smallest : b.smallest, large_a ? a.largest : b.largest, small_a ? a.smallest_trial : b.smallest_trial,
                large_a ? a.largest_trial : b.largest_trial};
    }
};

/// [count] elements in the memory of a system, not initialized.
template <class System, class Value>
class Buffer {
public:
    Buffer(System& system, std::int64_t count)
        : system_(system),
          bytes_(static_cast<std::size_t>(count) * sizeof(Value)),
          begin_(reinterpret_cast<Value*>(system.allocate(static_cast<std::ptrdiff_t>(bytes_)))) {}
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() { system_.deallocate(reinterpret_cast<char*>(begin_), bytes_); }
    Value* begin() const { return begin_; }
    std::vector<Value> first(std::int64_t count) const {
        std::vector<Value> values(static_cast<std::size_t>(count));
        system_.copy_to_host(values.data(), begin_, values.size() * sizeof(Value));
        return values;
    }

private:
    System& system_;
    std::size_t bytes_;
    Value* begin_;
};

/// Aggregates records [count], in the memory of the system, of the trials from first_trial on. Beyond them it needs 16 bytes per record,
/// and what the system's sort does. Synchronizes. Throws std::bad_alloc, and thrust::system_error for an error of a device.
///   system  policy(): Thrust's execution policy;  allocate(bytes), deallocate(start, bytes): its memory;
///           copy_to_host(host, start, bytes): copies behind what the policy was given, and waits
template <class System>
Aggregate aggregate_with(System& system, const TrialRecord* records, std::int64_t count, std::int64_t first_trial) {
    Aggregate aggregate;
    if (count == 0) return aggregate;
    aggregate.trials = count;
    const auto policy = system.policy();
    const Buffer<System, std::int32_t> keys(system, count), distinct(system, count);
    const Buffer<System, std::int64_t> counts(system, count);
    const auto histogram = [&](const auto& key) {
        thrust::transform(policy, records, records + count, keys.begin(), key);
        thrust::sort(policy, keys.begin(), keys.begin() + count);
        const auto ends = thrust::reduce_by_key(policy, keys.begin(), keys.begin() + count, thrust::constant_iterator<std::int64_t>(1),
                                                distinct.begin(), counts.begin());
        const std::int64_t size = ends.first - distinct.begin();
        return Histogram{distinct.first(size), counts.first(size)};
    };
    for (const auto& field : count_fields) aggregate.*field.member = histogram(CountedInteger{field.offset, field.second});
    for (const auto& field : sum_fields) {
        aggregate.*field.member = thrust::transform_reduce(policy, records, records + count, IntegerTerm{field.offset}, std::int64_t{0},
                                                           thrust::plus<std::int64_t>());
    }
    for (const auto& field : risk_fields) {
        const thrust::counting_iterator<std::int64_t> index(0);
        const Extremes none{~std::uint64_t{0}, 0, INT64_MAX, INT64_MAX};
        const Extremes ends = thrust::transform_reduce(policy, index, index + count, ExtremesOfTrial{records, field.offset, first_trial},
                                                       none, BothExtremes());
        aggregate.*field.member = {histogram(RiskKey{field.offset}),
                                   {value_of_order(ends.smallest), ends.smallest_trial},
                                   {value_of_order(ends.largest), ends.largest_trial}};
    }
    return aggregate;
}

}  // namespace limrisk::aggregation
