//! Overflow chains cut, bent and crossed.

use super::{Case, File, Scene};

pub(super) const CASES: &[Case] = &[
    Case::new("chains-cut", |scene| {
        bend(scene, |file, chain, scene| {
            let at = chain[scene.dice.below(chain.len())];
            file.page_mut(at).fill(0);
        });
    }),
    Case::new("chains-ended", |scene| {
        bend(scene, |file, chain, _| {
            file.page_mut(chain[0])[..4].fill(0);
        });
    }),
    Case::new("chains-cyclic", |scene| {
        bend(scene, |file, chain, _| {
            let first = u32::try_from(chain[0]).unwrap().to_be_bytes();
            file.page_mut(chain[chain.len() - 1])[..4].copy_from_slice(&first);
        });
    }),
    Case::new("chains-crossed", |scene| {
        let mut file = scene.usual();
        let chains: Vec<_> = file.chains().into_iter().filter(|chain| chain.len() > 1).collect();
        for pair in chains.chunks_exact(2).take(8) {
            let next = [pair[1][1], pair[0][1]].map(|page| u32::try_from(page).unwrap().to_be_bytes());
            file.page_mut(pair[0][0])[..4].copy_from_slice(&next[0]);
            file.page_mut(pair[1][0])[..4].copy_from_slice(&next[1]);
        }
        scene.leave(&file);
    })
    .wrong(8),
    Case::new("chains-joined", |scene| {
        let mut file = scene.usual();
        let chains: Vec<_> = file.chains().into_iter().filter(|chain| chain.len() > 1).collect();
        for pair in chains.chunks_exact(2).take(8) {
            let next = u32::try_from(pair[1][1]).unwrap().to_be_bytes();
            file.page_mut(pair[0][0])[..4].copy_from_slice(&next);
        }
        scene.leave(&file);
    }),
];

/// Hurts one in five chains.
fn bend(scene: &mut Scene, injury: fn(&mut File, &[usize], &mut Scene)) {
    let mut file = scene.usual();
    for chain in file.chains() {
        if scene.dice.below(5) == 0 {
            injury(&mut file, &chain, scene);
        }
    }
    scene.leave(&file);
}

impl File {
    /// The chains of a sound file. Pages that are no b-tree pages are parts of one: those that no other names begin one.
    fn chains(&self) -> Vec<Vec<usize>> {
        let links: Vec<usize> = (2..=self.count()).filter(|&number| !is_tree(self.page(number))).collect();
        let next = |number: usize| u32::from_be_bytes(self.page(number)[..4].try_into().unwrap()) as usize;
        let firsts = links.iter().filter(|&&link| links.iter().all(|&other| next(other) != link));
        let follow = |&first: &usize| {
            std::iter::successors(Some(first), |&link| Some(next(link)).filter(|&next| next != 0)).collect()
        };
        firsts.map(follow).collect()
    }
}

fn is_tree(page: &[u8]) -> bool {
    matches!(page[0], 2 | 5 | 10 | 13)
}
