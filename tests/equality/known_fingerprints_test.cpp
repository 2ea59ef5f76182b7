// Trial records of a frozen list of cells, as they were stored when the list was written: no later change may alter a stored bit, on any
// instruction set.
// A line of known_fingerprints.txt: a hash of the records, and the cell's canonical description. Kinds that come later change no line.
#include <gtest/gtest.h>

#include <fstream>

#include "backend/backend.hpp"
#include "backend/cell_plan.hpp"
#include "campaign/cell_description.hpp"
#include "limrisk/trial_fields.hpp"

namespace limrisk::test {
namespace {

constexpr std::int64_t first_trial = 1, trials = 3;

/// Which lines are tested: all, or every n-th where a processor is emulated.
#ifdef LIMRISK_EVERY_NTH_CELL
constexpr int every = LIMRISK_EVERY_NTH_CELL;
#else
constexpr int every = 1;
#endif

/// XXH3-128 of the fields of all records, in the order of the columns of a store.
std::string hash_of(const std::vector<TrialRecord>& records) {
    std::string bytes;
    for (const TrialRecord& record : records)
        for (const TrialField& field : trial_fields)
            bytes.append(reinterpret_cast<const char*>(&record) + field.offset, field.type == FieldType::Int32 ? 4 : 8);
    return cell_id(bytes);
}

TEST(KnownFingerprints, OfTheFrozenList) {
    std::ifstream file(LIMRISK_KNOWN_FINGERPRINTS);
    ASSERT_TRUE(file) << LIMRISK_KNOWN_FINGERPRINTS;
    int cells = 0, lines = 0, changed = 0;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line.front() == '#' || lines++ % every != 0) continue;
        const std::size_t end = line.find(' ');
        ASSERT_NE(end, std::string::npos) << line;
        const std::string description = line.substr(end + 1);
        const CellPlan plan(cell_from_description(description));
        for (const Isa isa : available_isas()) {
            WorkStatus status;
            const auto block = make_cpu_backend(1, isa)->run({&plan, first_trial, trials}, status, BlockOptions{});
            ASSERT_TRUE(block.has_value());
            const std::string hash = hash_of(block->records);
            EXPECT_EQ(hash, line.substr(0, end)) << isa_name(isa) << ", " << description;
            changed += hash != line.substr(0, end);
        }
        ++cells;
    }
    EXPECT_EQ(cells, 200 / every);
    EXPECT_EQ(changed, 0);
}

}  // namespace
}  // namespace limrisk::test
