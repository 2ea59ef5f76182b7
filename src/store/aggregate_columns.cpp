// Packing, unpacking and sealing of aggregates; see aggregate_columns.hpp.
#include "store/aggregate_columns.hpp"

#include <array>
#include <cstring>

#include "store/block_columns.hpp"

namespace limrisk {
namespace {

template <class Container>
std::string bytes_of(const Container& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof values[0]};
}

/// Reads one column after the other; false from the first on that does not fit.
class Reader {
public:
    explicit Reader(std::span<const std::string> columns) : columns_(columns) {}
    bool fits() const { return fits_; }

    template <class Value>
    void read(std::vector<Value>& values) {
        if (!has(sizeof(Value))) return;
        values.resize(columns_[next_].size() / sizeof(Value));
        if (!values.empty()) std::memcpy(values.data(), columns_[next_].data(), columns_[next_].size());
        ++next_;
    }
    template <class Value, std::size_t count>
    void read(std::array<Value, count>& values) {
        if (!has(sizeof values) || columns_[next_].size() != sizeof values) {
            fits_ = false;
            return;
        }
        std::memcpy(values.data(), columns_[next_].data(), sizeof values);
        ++next_;
    }

private:
    bool has(std::size_t multiple_of) { return fits_ = fits_ && next_ < columns_.size() && columns_[next_].size() % multiple_of == 0; }
    std::span<const std::string> columns_;
    std::size_t next_ = 0;
    bool fits_ = true;
};

}  // namespace

const std::vector<AggregateColumn>& aggregate_columns() {
    static const std::vector<AggregateColumn> columns = [] {
        std::vector<AggregateColumn> all;
        for (const auto& field : count_fields) {
            all.push_back({std::string(field.name) + "_value", FieldType::Int32});
            all.push_back({std::string(field.name) + "_count", FieldType::Int64});
        }
        for (const auto& field : sum_fields) all.push_back({field.name, FieldType::Int64});
        for (const auto& field : risk_fields) {
            all.push_back({std::string(field.name) + "_bin", FieldType::Int32});
            all.push_back({std::string(field.name) + "_count", FieldType::Int64});
            all.push_back({std::string(field.name) + "_extremes", FieldType::Float64});
            all.push_back({std::string(field.name) + "_extreme_trials", FieldType::Int64});
        }
        return all;
    }();
    return columns;
}

std::vector<std::string> pack_aggregate(const Aggregate& aggregate) {
    std::vector<std::string> columns;
    const auto add = [&](const Histogram& histogram) {
        columns.push_back(bytes_of(histogram.keys));
        columns.push_back(bytes_of(histogram.counts));
    };
    for (const auto& field : count_fields) add(aggregate.*field.member);
    for (const auto& field : sum_fields) columns.push_back(bytes_of(std::array{aggregate.*field.member}));
    for (const auto& field : risk_fields) {
        const RiskDistribution& risks = aggregate.*field.member;
        add(risks.bins);
        columns.push_back(bytes_of(std::array{risks.minimum.risk, risks.maximum.risk}));
        columns.push_back(bytes_of(std::array{risks.minimum.trial, risks.maximum.trial}));
    }
    return columns;
}

std::optional<Aggregate> unpack_aggregate(std::span<const std::string> columns, std::int64_t trials) {
    Aggregate aggregate;
    aggregate.trials = trials;
    Reader reader(columns);
    const auto read = [&](Histogram& histogram) {
        reader.read(histogram.keys);
        reader.read(histogram.counts);
    };
    for (const auto& field : count_fields) read(aggregate.*field.member);
    for (const auto& field : sum_fields) {
        std::array<std::int64_t, 1> sum{};
        reader.read(sum);
        aggregate.*field.member = sum[0];
    }
    for (const auto& field : risk_fields) {
        RiskDistribution& risks = aggregate.*field.member;
        std::array<double, 2> extremes{};
        std::array<std::int64_t, 2> extreme_trials{};
        read(risks.bins);
        reader.read(extremes);
        reader.read(extreme_trials);
        risks.minimum = {extremes[0], extreme_trials[0]};
        risks.maximum = {extremes[1], extreme_trials[1]};
    }
    if (!reader.fits()) return std::nullopt;
    return aggregate;
}

std::string aggregate_hash(std::string_view cell_id, std::int64_t first_trial, std::int64_t trials, std::span<const std::string> columns) {
    std::vector<std::string> parts{std::to_string(summary_schema_version), std::to_string(first_trial), std::to_string(trials),
                                   std::string(cell_id)};
    parts.insert(parts.end(), columns.begin(), columns.end());
    return parts_hash(parts);
}

}  // namespace limrisk
