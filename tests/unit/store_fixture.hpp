// Campaigns, records and files for the tests of the store and of what reads it.
#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "campaign/cell_description.hpp"
#include "limrisk/error.hpp"
#include "limrisk/trial_fields.hpp"
#include "store/store.hpp"

namespace limrisk::testing {

/// A directory of its own for each test, removed at the end.
class StoreTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "limrisk-store-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        directory_ = pattern;
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }
    std::filesystem::path path(const std::string& name = "store.db") const { return directory_ / name; }

private:
    std::filesystem::path directory_;
};

inline void finish(CellConfig& cell) {
    cell.description = describe(cell);
    cell.id = cell_id(cell.description);
    fill_labels(cell);
}

/// Widths 1, 2, 4, ... times SGD and Adam.
inline Campaign small_campaign(std::int64_t trials = 100, int widths = 2, std::uint64_t seed = 1) {
    Campaign campaign;
    campaign.name = "small";
    campaign.seed = seed;
    campaign.trials = trials;
    campaign.text = "name = \"small\"\n";
    for (int k = 0; k < widths; ++k) {
        for (const bool adam : {false, true}) {
            CellConfig cell;
            cell.index = static_cast<std::int64_t>(campaign.cells.size());
            cell.seed = seed;
            cell.width = std::int64_t{1} << k;
            cell.target = "x1^2 + 2*x1";
            if (adam) cell.optimizer = {kernels::OptimizerKind::Adam, 0.9, 0.999, 1e-8, false, true};
            cell.learning_rate = {adam ? 0.01 : 0.05, 0};
            cell.evaluation.check_nodes = 128;
            finish(cell);
            campaign.cells.push_back(cell);
        }
    }
    return campaign;
}

/// A record that depends on (cell, trial) only, of the values that one of a width of at least 1 and CellConfig's steps and checks can have:
/// subnormal numbers, infinities, extremes, both signs of zero.
inline TrialRecord record_of(std::int64_t cell, std::int64_t trial) {
    std::mt19937_64 bits(static_cast<std::uint64_t>(cell * 1'000'003 + trial));
    TrialRecord record;
    char* bytes = reinterpret_cast<char*>(&record);
    for (const TrialField& field : trial_fields) {
        const std::uint64_t word = bits();
        if (field.type == FieldType::Float64) {
            constexpr double infinity = std::numeric_limits<double>::infinity();
            const double specials[] = {0.0, -0.0, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, infinity, 0.1, 1.0};
            double value = 0;
            std::memcpy(&value, &word, sizeof value);
            value = word % 4 == 0 || value != value ? specials[word / 4 % 8] : std::fabs(value);
            std::memcpy(bytes + field.offset, &value, sizeof value);
        } else {
            const std::uint64_t steps = word % static_cast<std::uint64_t>(CellConfig{}.steps + 1), neurons = word % 2;
            const std::uint64_t& value = field.type == FieldType::UInt64 ? word : field.type == FieldType::Int64 ? steps : neurons;
            std::memcpy(bytes + field.offset, &value, field.type == FieldType::Int32 ? 4 : 8);
        }
    }
    if (record.inactive_initial != 0) record.constant_initial = 0;  // of one neuron
    record.verdict = static_cast<Verdict>(bits() % 4);              // of a cell without `stop`
    if (record.verdict != Verdict::Diverged) record.nonfinite_step = 0;
    record.last_step = last_step_without_stop(record, CellConfig{}.steps);
    record.best_step = std::min(record.best_step, record.last_step);
    take_iterate_as_average(record);  // of a cell without one
    return record;
}

inline std::vector<TrialRecord> records_of(const BlockKey& key) {
    std::vector<TrialRecord> records;
    for (std::int64_t k = 0; k < key.count; ++k) records.push_back(record_of(key.cell, key.first_trial + k));
    return records;
}

inline Aggregate aggregate_of(const BlockKey& key) { return aggregate_records(records_of(key).data(), key.count, key.first_trial); }

/// Commits the aggregate of these trials alone.
inline void write_aggregate(Store& store, const BlockKey& key) {
    const StoredAggregate part{key, aggregate_of(key)};
    store.write_aggregates({&part, 1});
}

/// The campaign, with a store that keeps summaries.
inline Campaign summarized(Campaign campaign) {
    campaign.store = StoreContents::Summary;
    return campaign;
}

/// Bitwise equality: == would take 0 for -0.
inline bool same_bits(const TrialRecord& a, const TrialRecord& b) {
    for (const TrialField& field : trial_fields) {
        const std::size_t size = field.type == FieldType::Int32 ? 4 : 8;
        if (std::memcmp(reinterpret_cast<const char*>(&a) + field.offset, reinterpret_cast<const char*>(&b) + field.offset, size) != 0)
            return false;
    }
    return true;
}

/// Number of trials in the store; -1 if one of them is not record_of(cell, trial), or an aggregate not that of them.
inline std::int64_t count_right_trials(const Store& store) {
    std::int64_t count = 0;
    if (store.contents() == StoreContents::Summary) {
        for (const CellConfig& cell : store.cells()) {
            for (const StoredAggregate& part : store.aggregates(cell.index)) {
                if (!(part.aggregate == aggregate_of(part.key))) return -1;
                count += part.key.count;
            }
        }
        return count;
    }
    for (const BlockKey& key : store.blocks()) {
        const std::vector<TrialRecord> records = store.read_block(key);
        for (const TrialRecord& record : records) {
            if (!same_bits(record, record_of(key.cell, key.first_trial + (&record - records.data())))) return -1;
        }
        count += key.count;
    }
    return count;
}

/// Message and exit code of the StoreError that `action` throws.
template <class Action>
std::pair<int, std::string> store_error(const Action& action) {
    try {
        action();
    } catch (const StoreError& error) {
        return {static_cast<int>(error.code()), error.what()};
    }
    return {0, "no error"};
}

}  // namespace limrisk::testing
