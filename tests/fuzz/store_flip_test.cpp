// One flipped bit anywhere in a store: either an error that says so, or exactly what was shown before. Never other labels or numbers.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <random>

#include "forged_store.hpp"
#include "limrisk/error.hpp"
#include "read_store.hpp"
#include "store/merge.hpp"
#include "store/store.hpp"

namespace limrisk::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr int flips = 600;

class StoreFlipTest : public ::testing::TestWithParam<StoreContents> {};

TEST_P(StoreFlipTest, IsNoticedOrHarmless) {
    const ForgedStores stores;
    const std::filesystem::path path = stores.path("flipped.db");
    const auto shown = [&](const std::string& bytes) {
        std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
        return everything_shown(path, stores.path("export"));
    };
    const std::string& sound = stores.base(GetParam()).file;
    const std::string before = shown(sound);
    std::mt19937 random(20261128);
    int noticed = 0;
    for (int k = 0; k < flips; ++k) {
        const std::size_t at = std::uniform_int_distribution<std::size_t>(0, sound.size() - 1)(random);
        const int bit = std::uniform_int_distribution(0, 7)(random);
        std::string damaged = sound;
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
        try {
            EXPECT_TRUE(shown(damaged) == before) << "byte " << at << ", bit " << bit << " changes what is shown";
        } catch (const StoreError& error) {
            ++noticed;
            EXPECT_EQ(error.code(), ExitCode::Data) << "byte " << at << ", bit " << bit << ": " << error.what();
        }
    }
    // The rest lies in unused bytes, and in the constants of a view that no reader of limrisk uses.
    EXPECT_GT(noticed, flips / 20);
    RecordProperty("noticed", noticed);
}

/// What a merge takes from a store: blocks or ranges with their hashes, documents.
std::string taken(const fs::path& all) {
    const Store store = Store::open(all);
    EXPECT_TRUE(store.verify().empty());
    std::string text;
    for (const BlockKey& key : store.blocks())
        text += store.cells()[static_cast<std::size_t>(key.cell)].id + " " + std::to_string(key.first_trial) + " " +
                std::to_string(key.count) + " " + store.kept_hash(key) + "\n";
    for (const char* kind : {document_kind::optimum, document_kind::levels, document_kind::trajectory, document_kind::backend})
        for (const StoredDocument& document : store.documents(kind)) text += document.id + " " + document.text + "\n";
    return text;
}

TEST_P(StoreFlipTest, NoFlippedBitIsMergedUnnoticed) {
    const ForgedStores stores;
    const fs::path part = stores.path("part.db"), all = stores.path("all.db");
    const auto merged = [&](const std::string& bytes) {
        std::ofstream(part, std::ios::binary | std::ios::trunc) << bytes;
        for (const char* ending : {"", "-journal", "-lock"}) fs::remove(all.string() + ending);
        (void)merge_store(all, part);
        return taken(all);
    };
    const std::string& sound = stores.base(GetParam()).file;
    const std::string before = merged(sound);
    std::mt19937 random(20261129);
    int noticed = 0;
    for (int k = 0; k < flips / 3; ++k) {
        const std::size_t at = std::uniform_int_distribution<std::size_t>(0, sound.size() - 1)(random);
        const int bit = std::uniform_int_distribution(0, 7)(random);
        std::string damaged = sound;
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
        try {
            EXPECT_TRUE(merged(damaged) == before) << "byte " << at << ", bit " << bit << " changes what is merged";
        } catch (const StoreError& error) {
            ++noticed;
            EXPECT_EQ(error.code(), ExitCode::Data) << "byte " << at << ", bit " << bit << ": " << error.what();
        }
    }
    EXPECT_GT(noticed, flips / 60);
}

INSTANTIATE_TEST_SUITE_P(Contents, StoreFlipTest, ::testing::Values(StoreContents::Trials, StoreContents::Summary),
                         [](const auto& contents) { return contents.param == StoreContents::Trials ? "Trials" : "Summary"; });

}  // namespace
}  // namespace limrisk::fuzz
